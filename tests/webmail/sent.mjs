// SPDX-License-Identifier: ISC
// Sending: what a mail may expect, "send encrypted only", and the receipts of what was sent.
import axe from 'axe-core';
import { assert, goto, idle, know, login, new_user, order, read, row, scenario, shot, told } from './rig.mjs';

// Of src/box/receipt.h and src/queue/expect.h.
const WAITING = 0, DELIVERED = 1, FAILED = 2, NO_WAY = 0, PLAIN = 1, ENCRYPTED = 2, DANE = 3, MTA_STS = 4;
const BY_DANE = 1, NO_MAIL = 4, NEVER = 0, SEEN_PLAIN = 1, SEEN_TLS = 2;

async function compose(page, { to, subject, text = '-' }) {
	await goto(page, '_task=mail&_action=compose');
	await page.locator('#compose_to .recipient-input input').fill(`${to},`);
	await page.fill('#compose-subject', subject);
	await page.fill('#composebody', text);
}

/** Until the list of mails is there again. */
async function submit(page) {
	await page.click('a.send, button.send');
	await page.waitForURL(/_mbox=INBOX|_task=mail$|_task=mail&_mbox/);
	await idle(page);
}

async function send(page, mail) {
	await compose(page, mail);
	await submit(page);
}

/** A mail in Sent, opened; its Message-ID without brackets. */
async function sent(page, subject) {
	await goto(page, '_task=mail&_mbox=Sent');
	await idle(page);
	await read(page, subject);
	const source = await page.request.get(page.url().replace('_action=show', '_action=viewsource'));
	return /^Message-ID: <([^>]+)>/mi.exec(await source.text())[1];
}

async function account(user) {
	return JSON.parse(await order(['user', 'show', '--json', user.address])).account;
}

async function accessible(page, place) {
	await page.evaluate(axe.source);
	const { violations } = await page.evaluate(where => window.axe.run(where, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }), place);
	assert.deepEqual(violations.map(v => `${v.id} at ${v.nodes.map(node => node.html).join(' ')}`), []);
}

async function fits(page) {
	assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'it is wider than the window');
}

const line = (page, address) => page.locator('.tecsmail-receipt', { hasText: address });

scenario('receipt_of_who_is_here', async open => {
	const [page, writer, reader] = [await open(), await new_user('quirin'), await new_user('rosa')];
	await login(page, writer);
	await send(page, { to: reader.address, subject: 'An dich hier' });
	await sent(page, 'An dich hier');
	assert.match(await line(page, reader.address).locator('summary').innerText(), /: Zugestellt, auf diesem Server$/);
	await line(page, reader.address).locator('summary').click();
	await line(page, reader.address).locator('p', { hasText: /^Zugestellt auf diesem Server am .*\d\d:\d\d\.$/ }).waitFor();

	const other = await open(); // what came has none, and nobody else's are told
	await login(other, reader);
	await read(other, 'An dich hier');
	assert.equal(await other.locator('#tecsmail-receipts').count(), 0);
});

scenario('receipts', async open => {
	const [page, writer, reader] = [await open(), await new_user('sophie'), await new_user('theo')];
	await login(page, writer);
	await send(page, { to: reader.address, subject: 'An alle' });
	const id = await sent(page, 'An alle'), who = await account(writer);
	await know(
		`receipt ${who} ${id} dana@far.test ${DELIVERED} ${DANE} 250 2.0.0 0 mx.far.test 192.0.2.7 TLSv1.3 TLS_AES_256_GCM_SHA384 X25519MLKEM768 queued as 17`,
		`receipt ${who} ${id} otto@other.test ${DELIVERED} ${ENCRYPTED} 250 - 0 mx.other.test 192.0.2.8 TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384 x25519 ok`,
		`receipt ${who} ${id} paul@plain.test ${DELIVERED} ${PLAIN} 250 2.0.0 0 mx.plain.test 192.0.2.9 - - - ok`,
		`receipt ${who} ${id} fritz@far.test ${FAILED} ${DANE} 550 5.1.1 0 mx.far.test 192.0.2.7 TLSv1.3 TLS_AES_256_GCM_SHA384 X25519MLKEM768 no <b>such</b> user`,
		`receipt ${who} ${id} sara@sts.test ${DELIVERED} ${MTA_STS} 250 2.0.0 0 mx.sts.test 192.0.2.6 TLSv1.3 TLS_AES_128_GCM_SHA256 x25519 ok`,
		`receipt ${who} ${id} walter@slow.test ${WAITING} ${NO_WAY} 0 4.4.1 600 mx.slow.test - - - - the server did not answer`);
	await page.reload();
	const says = async (address, summary, sentence) => {
		const one = line(page, address);
		const more = page.locator('#tecsmail-receipts details.more:not([open]) > summary');
		if (!await one.isVisible())
			await more.click();
		assert.match(await one.locator('summary').innerText(), summary);
		await one.locator('summary').click();
		assert.match((await one.locator('p').innerText()).replace(/\s+/g, ' '), sentence);
	};
	await says('fritz@far.test', /: Nicht zugestellt$/,
		/^mx\.far\.test sagte: "550 5\.1\.1 no <b>such<\/b> user"\. Diese Adresse gibt es dort nicht\. Wir versuchen es nicht wieder\.$/);
	await says('walter@slow.test', /: Noch nicht zugestellt$/, /Der nächste Versuch \(bisher 1\) geschieht am .*\d\d:\d\d\.$/);
	await says('dana@far.test', /: Zugestellt, verschlüsselt, Server geprüft$/,
		/^Zugestellt an mx\.far\.test am .* über TLS 1\.3, Server durch DANE geprüft\.$/);
	await says('sara@sts.test', /: Zugestellt, verschlüsselt, Server geprüft$/, /Server durch MTA-STS geprüft\.$/);
	await says('otto@other.test', /: Zugestellt, verschlüsselt$/, /über TLS 1\.2; wer der Server ist, ließ sich nicht prüfen\.$/);
	await says('paul@plain.test', /: Zugestellt, nicht verschlüsselt$/, /ohne Verschlüsselung\.$/);
	const facts = await line(page, 'dana@far.test').locator('table').innerText();
	for (const fact of ['192.0.2.7', 'TLS_AES_256_GCM_SHA384', 'X25519MLKEM768', '250 2.0.0 queued as 17', 'DANE'])
		assert.ok(facts.includes(fact), `${fact} is not in ${facts}`);
	assert.equal(await page.locator('#tecsmail-receipts > details.tecsmail-receipt').count(), 5); // the bad ones come first
	await accessible(page, '#tecsmail-receipts');
	await shot(page, 'receipts');
	await page.setViewportSize({ width: 390, height: 800 });
	await fits(page);
	await shot(page, 'receipts-small');
});

scenario('receipt_that_comes', async open => {
	const page = await open({ language: 'en-US' });
	const [writer, reader] = [await new_user('uwe'), await new_user('vera')];
	await login(page, writer);
	await send(page, { to: reader.address, subject: 'On its way' });
	const id = await sent(page, 'On its way'), who = await account(writer);
	await know(`receipt ${who} ${id} late@far.test ${WAITING} ${ENCRYPTED} 450 4.7.1 30 mx.far.test 192.0.2.7 TLSv1.3 - - try later`);
	await page.reload();
	assert.match(await line(page, 'late@far.test').locator('summary').innerText(), /: Not delivered yet$/);
	await know(`receipt ${who} ${id} late@far.test ${DELIVERED} ${ENCRYPTED} 250 2.0.0 0 mx.far.test 192.0.2.7 TLSv1.3 - - ok`);
	await page.locator('.tecsmail-receipt summary', { hasText: /late@far\.test: Delivered, encrypted$/ }).waitFor();
	await line(page, 'late@far.test').locator('summary').click();
	await line(page, 'late@far.test').locator('p', { hasText: /^Delivered to mx\.far\.test on .* over TLS 1\.3; who the server is could not be proven\.$/ }).waitFor();
});

scenario('send_encrypted_only', async open => {
	const [page, writer, reader] = [await open(), await new_user('wilma'), await new_user('xaver')];
	await login(page, writer);
	await compose(page, { to: reader.address, subject: 'Nur verschlüsselt' });
	assert.equal(await page.isChecked('#tecsmail-send'), false);
	await page.locator('label[for=tecsmail-send]').click();
	await page.click('a.save.draft');
	await told(page, /als Entwurf gespeichert/);
	await goto(page, '_task=mail&_mbox=Drafts');
	await idle(page);
	await row(page, 'Nur verschlüsselt').dblclick();
	await page.waitForSelector('#composebody');
	assert.equal(await page.isChecked('#tecsmail-send'), true, 'the draft has forgotten it');
	await submit(page);
	const other = await open();
	await login(other, reader);
	await read(other, 'Nur verschlüsselt');
	const source = await other.request.get(other.url().replace('_action=show', '_action=viewsource'));
	assert.doesNotMatch(await source.text(), /X-Tecsmail-Send/i, 'it is for our server alone');
});

scenario('what_to_expect', async open => {
	const [page, writer] = [await open(), await new_user('yannick')];
	await know(`expect proven.test ${BY_DANE} ${NEVER}`, `expect tls.test 0 ${SEEN_TLS}`, `expect plain.test 0 ${SEEN_PLAIN}`,
		`expect closed.test ${NO_MAIL} ${NEVER}`);
	await login(page, writer);
	const item = (domain, text) => page.locator('#tecsmail-expect li', { hasText: `${domain}: ${text}` }).waitFor();
	await compose(page, { to: 'a@proven.test, b@TLS.test, c@plain.test', subject: 'Wohin' });
	await item('proven.test', 'verschlüsselt, Server wird geprüft');
	await item('tls.test', 'verschlüsselt');
	await item('plain.test', 'zuletzt nicht verschlüsselt');
	await page.locator('label[for=tecsmail-send]').click();
	await item('plain.test', 'zuletzt nicht verschlüsselt; so käme die Mail zurück');
	await page.locator('#compose_to .recipient-input input').fill(`d@closed.test, ${writer.address}, e@never-heard-of.test,`);
	await item('closed.test', 'nimmt keine Mail an');
	await item('example.test', 'bleibt auf diesem Server');
	await item('never-heard-of.test', ''); // by then somebody has looked, or it is not known
	await accessible(page, '#tecsmail-compose');
	await shot(page, 'expect');
	await page.setViewportSize({ width: 390, height: 800 });
	await fits(page);
	await shot(page, 'expect-small');
});

scenario('send_encrypted_for_all', async open => {
	const [page, writer] = [await open(), await new_user('zacharias')];
	await order(['user', 'set', '--sending', 'encrypted', writer.address]);
	await login(page, writer);
	await goto(page, '_task=mail&_action=compose');
	await page.locator('#tecsmail-send:checked:disabled').waitFor({ state: 'attached' });
	assert.match(await page.locator('label[for=tecsmail-send]').getAttribute('title'), /für alle Ihre Mails/);
});
