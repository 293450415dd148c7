// SPDX-License-Identifier: ISC
// Passwords, the lockout, sessions: who comes in.
import fs from 'node:fs/promises';
import path from 'node:path';
import { assert, deliver, facts, fill_login, goto, idle, login, new_user, order, row, scenario, shot, told, until } from './rig.mjs';

async function change(page, current, password, again = password) {
	await goto(page, '_task=settings&_action=plugin.password');
	await page.fill('#curpasswd', current);
	await page.fill('#newpasswd', password);
	await page.fill('#confpasswd', again);
	await page.click('button.submit');
}

scenario('password', async open => {
	const page = await open({ from: '127.9.7.1' });
	const user = await new_user('paula');
	await login(page, user);
	await goto(page, '_task=settings&_action=plugin.password');
	const rule = await page.locator('#ruleslist').innerText();
	for (const part of ['mindestens 8 Zeichen', '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~', 'keine Umlaute', 'Je länger, desto sicherer'])
		assert.ok(rule.includes(part), `the rule does not say ${part}: ${rule}`);
	const judged = async (text, wanted) => {
		await page.fill('#newpasswd', text);
		await page.locator('#tecsmail-strength', { hasText: wanted }).waitFor();
	};
	await judged('kurz', /mindestens 8 Zeichen/);
	await judged('müllabfuhr', /ü.*nicht erlaubt/);
	await judged('aaaaaaaa', /Sofort erraten\. ./);
	await judged('Zwei-Wege+3Baeume_am-Fluss', /Benutzen Sie es nur hier/);
	await shot(page, 'password');

	const good = 'Neu-0!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';
	for (const [current, password, again, answer] of [
		[user.password, 'kurz', 'kurz', /mindestens 8 Zeichen/],
		[user.password, 'müllabfuhr', 'müllabfuhr', /ü.*nicht erlaubt/],
		[user.password, 'zwei woerter', 'zwei woerter', /Zeichen „ “.*nicht erlaubt/],
		[user.password, 'x'.repeat(129), 'x'.repeat(129), /höchstens 128 Zeichen/],
		[user.password, user.password, user.password, /haben Sie schon/],
		['falsch', good, good, /Passwort ist falsch/],
	]) {
		await change(page, current, password, again);
		await told(page, answer);
	}
	await goto(page, '_task=settings&_action=plugin.password');
	await page.fill('#curpasswd', user.password);
	await page.fill('#newpasswd', good);
	await page.fill('#confpasswd', 'anders');
	await page.click('button.submit');
	await page.locator('.ui-dialog, #messagestack > div', { hasText: 'stimmen nicht überein' }).first().waitFor();

	await change(page, user.password, good);
	await told(page, /Erfolgreich gespeichert/);
	await shot(page, 'password-changed');
	await deliver(user, { subject: 'Nach dem Wechsel', text: '-' });
	await goto(page, '_task=mail');
	await row(page, 'Nach dem Wechsel').waitFor(); // this session goes on
	const other = await open({ from: '127.9.7.1' });
	await login(other, user, good);
	assert.match(await order(['guard', 'show', '127.9.7.1']), /state\s+open/);
});

scenario('password_english', async open => {
	const page = await open({ language: 'en-US', from: '127.9.7.2' });
	const user = await new_user('peter');
	await login(page, user);
	await change(page, user.password, 'short');
	await told(page, /was not changed\. .*at least 8 characters/);
	await change(page, user.password, 'naïve-password');
	await told(page, /ï/);
	await change(page, 'wrong', 'Something-9-else');
	await told(page, /wrong/);
});

scenario('lockout', async open => {
	const user = await new_user('lola');
	const page = await open({ from: '127.9.7.10' });
	for (let n = 1; n <= 4; n++) {
		await fill_login(page, user, `falsch ${n}`);
		await told(page, /Anmeldung ist fehlgeschlagen/);
	}
	await fill_login(page, user, 'falsch 5');
	await page.locator('#tecsmail-closed').waitFor();
	assert.match(await page.locator('#tecsmail-closed').innerText(), /^Zugang gesperrt bis \d\d:\d\d Uhr: 5 falsche Passwörter$/);
	await shot(page, 'locked-de');
	await fill_login(page, user); // the right one does not help any more
	await page.locator('#tecsmail-closed').waitFor();

	const english = await open({ language: 'en-US', from: '127.9.7.10' });
	await fill_login(english, user);
	await english.locator('#tecsmail-closed', { hasText: /^Access closed until \d\d:\d\d \S+: 5 wrong passwords$/ }).waitFor();
	await shot(english, 'locked-en');

	const other = await open({ from: '127.9.7.11' });
	await login(other, user);
	const own = await open(); // and the machine's own address
	await login(own, user);
});

scenario('lockout_by_the_form', async open => {
	const user = await new_user('leo');
	const page = await open({ from: '127.9.7.12' });
	await login(page, user);
	for (let n = 1; n <= 5; n++) {
		await change(page, `falsch ${n}`, 'Etwas-Neues-7');
		await told(page, n < 5 ? /Passwort ist falsch/ : /Zugang gesperrt bis \d\d:\d\d Uhr/);
	}
	await goto(page, '_task=mail');
	await told(page, /Zugang gesperrt bis \d\d:\d\d Uhr: 5 falsche Passwörter/);
	await shot(page, 'locked-inside');
	await order(['guard', 'release', '127.9.7.12']);
	await goto(page, '_task=mail');
	await idle(page); // the session was never lost
	await page.locator('#mailboxlist').waitFor();
});

scenario('stale_tab', async open => {
	const user = await new_user('stella');
	const page = await open({ from: '127.9.7.20', may: [/status of 40/] });
	await login(page, user);
	await order(['user', 'passwd', '--password-stdin', user.address], 'Changed-elsewhere-5\n');
	await page.waitForURL(/_task=login|_err=session/, { timeout: 30000 }); // at its next look by itself
	await page.locator('#rcmloginuser').waitFor();
	await shot(page, 'stale');
	await new Promise(done => setTimeout(done, 3000));
	assert.match(await order(['guard', 'show', '127.9.7.20']), /state\s+open/);
	const wrong = JSON.parse(await order(['guard', 'show', '--json', '127.9.7.20'])).errors;
	assert.ok(wrong.length <= 1, `${wrong.length} wrong passwords`);
	await login(page, user, 'Changed-elsewhere-5');
});

scenario('banned', async open => {
	const user = await new_user('berta');
	const [page, other] = [await open({ from: '127.9.7.30' }), await open({ from: '127.9.7.31' })];
	const there = async who => (await who.request.get(`${who.site}/webmail/`).catch(() => null))?.status() ?? 'hung up';
	const list = path.join(path.dirname(facts.conf), 'run/denied.conf');
	const before = await fs.readFile(list, 'utf8').catch(() => '');
	await login(other, user);
	assert.equal(await there(page), 200);
	await fs.writeFile(list, 'deny 127.9.7.30;\n');
	await until('the ban', async () => await there(page) === 'hung up');
	assert.equal(await there(other), 200);
	await fs.writeFile(list, 'deny nonsense;\n'); // is tried, and not taken
	await until('a complaint', async () => (await fs.readFile(facts.log, 'utf8')).includes('webmail: not reloaded'));
	assert.equal(await there(other), 200);
	assert.equal(await there(page), 'hung up');
	await fs.writeFile(list, before);
	await until('the end of the ban', async () => await there(page) === 200);
});
