// SPDX-License-Identifier: ISC
// Runs the scenarios one after the other and counts. Each has windows of its own.
import { close, facts, scenarios, shot, Windows } from './rig.mjs';
import './mail.mjs';
import './pages.mjs';
import './access.mjs';
import './account.mjs';
import './setup.mjs';

const SCENARIO_S = 60;
const failed = [];
let passed = 0, skipped = 0;

function in_time(work, seconds) {
	let timer;
	const late = new Promise((_, no) => {
		timer = setTimeout(() => no(new Error(`not done after ${seconds} s`)), seconds * 1000);
	});
	return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

for (const { name, run } of scenarios) {
	if (facts.wanted.length && !facts.wanted.some(word => name.includes(word)))
		continue;
	const windows = new Windows();
	const started = Date.now();
	try {
		const skip = await in_time(run(options => windows.open(options)), SCENARIO_S);
		if (windows.complaints.length)
			throw new Error(`the page complained: ${windows.complaints.join('; ')}`);
		if (skip) {
			skipped++;
			console.log(`skip ${name}: ${skip}`);
		} else {
			passed++;
			console.log(`ok ${name} ${((Date.now() - started) / 1000).toFixed(1)} s`);
		}
	} catch (error) {
		failed.push(name);
		console.log(`FAILED ${name}: ${error.stack}`);
		for (const [n, context] of windows.all.entries())
			for (const page of context.pages())
				await shot(page, `failed-${name}-${n}`).catch(() => {});
	}
	await windows.close();
}
await close();
console.log(`${passed} passed, ${failed.length} failed, ${skipped} skipped`);
process.exit(failed.length ? 1 : 0);
