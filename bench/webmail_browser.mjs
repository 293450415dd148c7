// SPDX-License-Identifier: ISC
// The browser of bench/webmail: a line of JSON in, a line out. The first names the sides; each
// further one asks for a log-in at a side and for a mail to be opened, and is answered with what both
// took, from the click to what is seen. A side keeps its window and cache, as its user would.
import { createHash, X509Certificate } from 'node:crypto';
import readline from 'node:readline';
import tls from 'node:tls';
import { chromium } from '../tests/webmail/node_modules/playwright-core/index.mjs';

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const sides = JSON.parse((await lines.next()).value);

/** Of the certificate's key. With --ignore-certificate-errors nothing would be cached. */
async function pin(url) {
	const { hostname, port } = new URL(url);
	const socket = tls.connect({ host: hostname, port, rejectUnauthorized: false });
	await new Promise((done, no) => socket.on('secureConnect', done).on('error', no));
	const key = new X509Certificate(socket.getPeerCertificate().raw).publicKey.export({ type: 'spki', format: 'der' });
	socket.destroy();
	return createHash('sha256').update(key).digest('base64');
}

const pins = await Promise.all(Object.values(sides).map(side => pin(side.url)));
const chrome = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu',
	'--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
	'--disable-sync', '--disable-dev-shm-usage', `--ignore-certificate-errors-spki-list=${pins.join()}`] });
for (const side of Object.values(sides)) {
	side.context = await chrome.newContext({ locale: 'de-DE', viewport: { width: 1280, height: 800 } });
	side.context.setDefaultTimeout(30000);
	await side.context.addInitScript(() => addEventListener('click',
		() => sessionStorage.setItem('clicked', performance.timeOrigin + performance.now()), true));
	side.page = await side.context.newPage();
}

/** Milliseconds from the last click until the page shows it; seen(of) runs in the page at each frame. */
async function since_click(page, seen, of) {
	await page.waitForFunction(seen, of);
	return page.evaluate(() => window.seen - Number(sessionStorage.getItem('clicked')));
}

async function login(side) {
	await side.context.clearCookies();
	await side.page.goto(side.url);
	await side.page.fill('#rcmloginuser', side.user);
	await side.page.fill('#rcmloginpwd', side.password);
	await side.page.click('#rcmloginsubmit', { noWaitAfter: true });
	return since_click(side.page, () => document.querySelector('#messagelist tbody tr.message') &&
		(window.seen = performance.timeOrigin + performance.now()));
}

async function open(side, mail) {
	const row = side.page.locator('#messagelist tbody tr.message').filter({ hasText: new RegExp(`\\b${mail}\\b`) });
	await side.page.waitForFunction(() => !window.rcmail.busy);
	await row.first().click({ noWaitAfter: true });
	return since_click(side.page, text => {
		const body = document.querySelector('#messagecontframe')?.contentDocument?.querySelector('#messagebody');
		return body?.innerText.includes(text) && (window.seen = performance.timeOrigin + performance.now());
	}, `Mail number ${mail}.`);
}

console.log('{}');
for await (const line of lines) {
	const { side, mail } = JSON.parse(line);
	const browser_list = await login(sides[side]);
	const browser_mail = await open(sides[side], mail);
	console.log(JSON.stringify({ 'browser: list': browser_list, 'browser: mail': browser_mail }));
}
await chrome.close();
