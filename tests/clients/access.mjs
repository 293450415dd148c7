// SPDX-License-Identifier: ISC
// What the scripts share: where the server is, and how they fail.
import assert from 'node:assert/strict';
import fs from 'node:fs';

export const access = JSON.parse(fs.readFileSync(0, 'utf8'));
export const tls = { ca: [fs.readFileSync(access.certificate)], servername: 'localhost' };
export { assert };

// The script must end by itself; when it hangs, this says so.
setTimeout(() => {
	console.error('not done in time');
	process.exit(1);
}, 50_000).unref();

export async function until(condition, what) {
	for (let i = 0; i < 200; i++) {
		if (condition()) return;
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error(`${what} did not happen`);
}

export function mail(subject, text = 'hello\r\n') {
	return Buffer.from(
		`From: a@elsewhere.example\r\nTo: you\r\nSubject: ${subject}\r\n` +
			`Date: Mon, 02 Mar 2026 10:00:00 +0000\r\nMessage-ID: <${Math.random()}@x.example>\r\n` +
			`\r\n${text}`,
	);
}
