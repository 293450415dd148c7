// SPDX-License-Identifier: ISC
// Runs the scenarios and counts. Each has windows, users and addresses of its own, and most of them wait
// most of the time: so a few run at once.
import { close, facts, scenarios, shot, Windows } from './rig.mjs';
import './mail.mjs';
import './sent.mjs';
import './pages.mjs';
import './access.mjs';
import './account.mjs';
import './guarantee.mjs';
import './setup.mjs';
import './front.mjs';

const SCENARIO_S = 60, AT_ONCE = 3;
const failed = [];
let passed = 0, skipped = 0;

function in_time(work, seconds) {
	let timer;
	const late = new Promise((_, no) => {
		timer = setTimeout(() => no(new Error(`not done after ${seconds} s`)), seconds * 1000);
	});
	return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function attempt({ name, run }) {
	const windows = new Windows();
	const started = Date.now();
	try {
		const skip = await in_time(run(options => windows.open(options)), SCENARIO_S);
		if (windows.complaints.length)
			throw new Error(`the page complained: ${windows.complaints.join('; ')}`);
		skip ? skipped++ : passed++;
		console.log(skip ? `skip ${name}: ${skip}` : `ok ${name} ${((Date.now() - started) / 1000).toFixed(1)} s`);
	} catch (error) {
		failed.push(name);
		console.log(`FAILED ${name}: ${error.stack}`);
		for (const [n, context] of windows.all.entries())
			for (const page of context.pages())
				await shot(page, `failed-${name}-${n}`).catch(() => {});
	}
	await windows.close();
}

const waiting = scenarios.filter(({ name }) => !facts.wanted.length || facts.wanted.some(word => name.includes(word)));
async function one_after_the_other() {
	for (let next = waiting.shift(); next; next = waiting.shift())
		await attempt(next);
}
await Promise.all(Array.from({ length: AT_ONCE }, one_after_the_other));
await close();
console.log(`${passed} passed, ${failed.length} failed, ${skipped} skipped`);
process.exit(failed.length ? 1 : 0);
