// SPDX-License-Identifier: ISC
// What the scenarios share: a browser, its windows, mail from elsewhere, the operator's command.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import nodemailer from 'nodemailer';
import { chromium } from 'playwright-core';

export { assert };
export const facts = JSON.parse(fs.readFileSync(0, 'utf8'));
export const access = facts.access;
export const [demo1, demo2] = access.users;

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update', '--disable-sync',
	'--disable-dev-shm-usage'];
const chrome = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
const doors = [];

// --- scenarios ---

export const scenarios = [];

/** run(open): open(options) gives a page of a window of its own, closed when the scenario ends. */
export function scenario(name, run) {
	scenarios.push({ name, run });
}

/** Windows of a scenario, and what their pages complained of. */
export class Windows {
	all = [];
	complaints = [];

	/** language as the browser asks for it; from: an address of the loopback, else its usual one. */
	async open({ language = 'de-DE', from = null, width = 1280, height = 800, may = [] } = {}) {
		const context = await chrome.newContext({ locale: language, ignoreHTTPSErrors: true,
			viewport: { width, height }, acceptDownloads: true });
		this.all.push(context);
		context.setDefaultTimeout(15000);
		const page = await context.newPage();
		page.on('pageerror', error => this.complaints.push(`${error}`));
		page.on('console', message => {
			const text = message.text();
			if (message.type() === 'error' && ![/status of 401/, ...may].some(known => known.test(text)))
				this.complaints.push(text);
		});
		page.site = from ? await door(from) : new URL(access.webmail.url).origin;
		return page;
	}

	async close() {
		await Promise.all(this.all.map(context => context.close()));
	}
}

/** The webmail as somebody with that address reaches it: a way through, bound to the address. */
async function door(from) {
	const port = new URL(access.webmail.url).port;
	const server = net.createServer(inside => {
		const outside = net.connect({ host: '127.0.0.1', port, localAddress: from });
		inside.on('error', () => outside.destroy());
		outside.on('error', () => inside.destroy());
		inside.pipe(outside).pipe(inside);
	});
	await new Promise(done => server.listen(0, '127.0.0.1', done));
	doors.push(server);
	return `https://localhost:${server.address().port}`;
}

export async function close() {
	await chrome.close();
	for (const server of doors)
		server.close();
}

// --- in a window ---

export async function fill_login(page, user, password = user.password) {
	await page.goto(`${page.site}/webmail/`);
	await page.fill('#rcmloginuser', user.address);
	await page.fill('#rcmloginpwd', password);
	await page.click('#rcmloginsubmit');
}

/** Until the mailbox is there. */
export async function login(page, user, password = user.password) {
	await fill_login(page, user, password);
	await page.waitForSelector('#messagelist-content');
	await idle(page);
}

/** Until Roundcube has nothing on its way any more. */
export function idle(page) {
	return page.waitForFunction(() => window.rcmail && !rcmail.busy);
}

export function goto(page, query) {
	return page.goto(`${page.site}/webmail/?${query}`);
}

/** The row of a mail in the list. */
export function row(page, subject) {
	return page.locator('#messagelist tbody tr.message', { hasText: subject }).first();
}

/** Opens a mail in a page of its own. */
export async function read(page, subject) {
	await row(page, subject).dblclick();
	await page.waitForSelector('#message-content');
	await idle(page);
}

export async function shot(page, name) {
	await page.screenshot({ path: path.join(facts.shots, `${name}.png`) });
}

/** Until the page says this in a box at its edge. */
export async function told(page, text) {
	await page.locator('#messagestack > div', { hasText: text }).first().waitFor();
}

export async function until(what, condition, seconds = 15) {
	const end = Date.now() + seconds * 1000;
	while (Date.now() < end) {
		if (await condition())
			return;
		await new Promise(done => setTimeout(done, 100));
	}
	assert.fail(`${what} did not come about within ${seconds} s`);
}

// --- beside it ---

/** A mail from another server, on port 25; plain: without TLS. */
export async function deliver(to, mail, { plain = false } = {}) {
	const way = nodemailer.createTransport({ host: 'localhost', port: access.smtp.starttls,
		name: 'mx.elsewhere.example', ignoreTLS: plain, requireTLS: !plain,
		tls: { rejectUnauthorized: false } });
	await way.sendMail({ from: 'Jürgen Groß <juergen@elsewhere.example>', to: to.address, ...mail,
		envelope: { from: 'juergen@elsewhere.example', to: to.address } });
	way.close();
}

/** The operator's command: what it printed. */
export async function order(words, input = '') {
	const run = promisify(execFile)(facts.program, ['-c', facts.conf, ...words]);
	run.child.stdin.on('error', () => {}); // it may have ended without reading
	run.child.stdin.end(input);
	return (await run).stdout;
}

/** What a courier would have learnt: lines of src/queue/know.c. */
export async function know(...lines) {
	const run = promisify(execFile)(facts.know, [facts.store]);
	run.child.stdin.end(lines.map(line => `${line}\n`).join(''));
	await run;
}

let users = 0;

/** A user with a mailbox of his own for a scenario. */
export async function new_user(name) {
	const user = { address: `${name}${++users}@example.test`, password: `Secret-${name}-${users}-Xy` };
	await order(['user', 'add', '--password-stdin', user.address], `${user.password}\n`);
	return user;
}
