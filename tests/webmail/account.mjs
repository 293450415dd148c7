// SPDX-License-Identifier: ISC
// What our plugin adds: the seal of a mail, app passwords, last logins, open sessions.
import tls from 'node:tls';
import axe from 'axe-core';
import nodemailer from 'nodemailer';
import { access, assert, deliver, demo1, fill_login, goto, idle, login, new_user, order, read, row, scenario, shot, told } from './rig.mjs';

const FORGED = 'from bank.example ([192.0.2.7]) by mail.example.test with ESMTPSA id 00' +
	' tls TLS_AES_256_GCM_SHA384 (TLSv1.3); Tue, 24 Nov 2026 11:12:41 +0000';

scenario('seal', async open => {
	const page = await open();
	const user = await new_user('sina');
	await deliver(user, { subject: 'mit Schloss', text: '-' });
	await deliver(user, { subject: 'ohne Schloss', text: '-', headers: { Received: FORGED } }, { plain: true });
	const program = nodemailer.createTransport({ host: 'localhost', port: access.submission.tls, secure: true,
		tls: { rejectUnauthorized: false }, auth: { user: demo1.address, pass: demo1.password } });
	await program.sendMail({ from: demo1.address, to: user.address, subject: 'vom Nachbarn', text: '-' });
	program.close();

	await login(page, user);
	for (const [subject, seal, title] of [['mit Schloss', 'tls', 'Verschlüsselt'],
		['ohne Schloss', 'clear', 'Nicht verschlüsselt'], ['vom Nachbarn', 'user', 'Verschlüsselt, Absender angemeldet']]) {
		const lock = row(page, subject).locator('a.tecsmail-seal');
		assert.match(await lock.getAttribute('class'), new RegExp(`\\b${seal}\\b`), subject);
		assert.equal(await lock.getAttribute('title'), title);
	}
	await shot(page, 'seals');
	await row(page, 'mit Schloss').locator('a.tecsmail-seal').click();
	const facts = page.locator('.tecsmail-facts');
	await page.locator('.ui-dialog-title', { hasText: 'Wie diese Mail kam' }).waitFor();
	for (const part of ['mx.elsewhere.example [127.0.0.1]', 'mail.example.test', 'TLS 1.3', 'TLS_AES_256_GCM_SHA384'])
		assert.ok((await facts.innerText()).replace('[::1]', '[127.0.0.1]').includes(part), `${part}: ${await facts.innerText()}`);
	await shot(page, 'seal-of-a-row');
	await page.click('.ui-dialog button.save');

	await read(page, 'mit Schloss');
	assert.equal(await page.locator('#tecsmail-seal').innerText(), 'Verschlüsselt');
	await page.click('#tecsmail-seal');
	await facts.waitFor();
	await shot(page, 'seal-of-a-mail');
});

function account(page) {
	return goto(page, '_task=settings&_action=plugin.tecsmail-account');
}

scenario('app_passwords', async open => {
	const page = await open();
	const user = await new_user('udo');
	await login(page, user);
	await account(page);
	await page.fill('#tecsmail-name', 'Udos <Telefon>');
	await page.uncheck('input[value=pop3]');
	await page.click('form.add button');
	await told(page, /ist erzeugt/);
	const secret = (await page.locator('#tecsmail-secret').innerText()).trim();
	assert.match(await page.locator('#tecsmail-apps').innerText(), /Udos <Telefon>\s+IMAP, SMTP/);
	await shot(page, 'app-password');
	await account(page);
	assert.equal(await page.locator('#tecsmail-secret').count(), 0, 'shown twice');

	const program = () => nodemailer.createTransport({ host: 'localhost', port: access.submission.tls, secure: true,
		tls: { rejectUnauthorized: false }, auth: { user: user.address, pass: secret } }).verify();
	await program();
	await page.fill('#tecsmail-name', 'Udos <Telefon>');
	await page.click('form.add button');
	await told(page, /gibt es schon|schon/);

	const by_app = await open({ from: '127.9.7.40' }); // it opens the mail, not the account
	await login(by_app, user, secret);
	await account(by_app);
	await by_app.locator('.boxwarning', { hasText: 'mit einem App-Passwort angemeldet' }).waitFor();

	await account(page);
	await page.click('#tecsmail-apps button.delete');
	await told(page, /zurückgezogen/);
	await assert.rejects(program());
	await shot(page, 'account');
});

scenario('logins', async open => {
	const user = await new_user('lisa');
	const stranger = await open({ from: '127.9.7.50' });
	await fill_login(stranger, user, 'falsch');
	await told(stranger, /fehlgeschlagen/);
	const page = await open();
	await login(page, user);
	await account(page);
	const logins = page.locator('#tecsmail-logins');
	await logins.locator('tr.bad', { hasText: /127\.9\.7\.50\s*IMAP.*falsches Passwort/s }).waitFor();
	await logins.locator('tr.good', { hasText: /IMAP\s*Roundcube\s*angemeldet/s }).first().waitFor();
	const program = tls.connect({ host: 'localhost', port: access.imap.tls, rejectUnauthorized: false });
	await new Promise(done => {
		program.on('data', text => `${text}`.includes('b OK') && done());
		program.write(`a LOGIN ${user.address} ${user.password}\r\nb ID ("name" "Post <b>" "version" "7")\r\n`);
	});
	program.destroy();
	await account(page);
	await logins.locator('tr.good', { hasText: /IMAP\s*Post <b> 7\s*angemeldet/s }).waitFor();
	await shot(page, 'logins');
});

scenario('locked_account', async open => {
	const user = await new_user('karla');
	const page = await open({ may: [/status of 40/] });
	await login(page, user);
	await order(['user', 'lock', user.address, '--reason', 'Missbrauch gemeldet']);
	await account(page);
	await page.locator('.boxwarning', { hasText: 'Ihr Konto ist gesperrt: Missbrauch gemeldet' }).waitFor();
	await shot(page, 'account-locked');
	await order(['user', 'unlock', user.address]);
	await account(page);
	await page.locator('#tecsmail-name').waitFor();
});

scenario('log_out_elsewhere', async open => {
	const user = await new_user('otto');
	const [page, other] = [await open(), await open({ from: '127.9.7.60', may: [/status of 40/] })];
	await login(other, user);
	await login(page, user);
	const program = tls.connect({ host: 'localhost', port: access.imap.tls, rejectUnauthorized: false });
	program.on('error', () => {});
	const ended = new Promise(done => program.on('close', done));
	program.write(`a LOGIN ${user.address} ${user.password}\r\n`);
	await new Promise(done => program.on('data', text => `${text}`.includes('a OK') && done()));
	await account(page);
	await page.locator('#tecsmail-sessions tr', { hasText: /Webmail127\.9\.7\.60/ }).waitFor();
	await page.locator('#tecsmail-sessions tr', { hasText: /IMAP(127\.0\.0\.1|::1)/ }).waitFor();
	await shot(page, 'sessions');
	await page.evaluate(axe.source);
	const { violations } = await page.evaluate(() => window.axe.run('.tecsmail-page', { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }));
	assert.deepEqual(violations.map(v => `${v.id} at ${v.nodes.map(node => node.html).join(' ')}`), []);
	await page.click('form.logout button');
	await told(page, /Alle anderen Sitzungen sind beendet/);
	await ended;
	assert.equal(await page.locator('#tecsmail-sessions tbody tr').count(), 1);
	await goto(other, '_task=mail');
	await other.locator('#rcmloginuser').waitFor();
	await goto(page, '_task=mail');
	await idle(page);
	await page.locator('#mailboxlist').waitFor();
});
