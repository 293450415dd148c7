// SPDX-License-Identifier: ISC
// Reading, writing and keeping mail.
import { assert, deliver, goto, idle, login, new_user, order, read, row, shot, scenario, told, until } from './rig.mjs';

const PICTURE = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFUlEQVR4nGP8z8DAwMDAxMDAwMDAAAANHQEDasKb6QAAAABJRU5ErkJggg==', 'base64');

scenario('login_german', async open => {
	const page = await open();
	await login(page, await new_user('hans'));
	const folders = await page.locator('#mailboxlist > li').allInnerTexts();
	assert.deepEqual(folders.map(name => name.trim()), ['Posteingang', 'Entwürfe', 'Gesendet', 'Spam', 'Gelöscht', 'Archiv']);
	assert.match(await page.title(), /Posteingang/);
	await shot(page, 'inbox-de');
	await page.click('#taskmenu .logout');
	await page.waitForSelector('#rcmloginuser');
	assert.equal(await page.locator('input[name=_host], select[name=_host]').count(), 0, 'a field for the server');
	await shot(page, 'login-de');
});

scenario('login_english', async open => {
	const page = await open({ language: 'en-US' });
	const user = await new_user('ann');
	await login(page, user);
	const folders = await page.locator('#mailboxlist > li').allInnerTexts();
	assert.deepEqual(folders.map(name => name.trim()), ['Inbox', 'Drafts', 'Sent', 'Junk', 'Trash', 'Archive']);
	await shot(page, 'inbox-en');
});

scenario('login_on_a_telephone', async open => {
	const page = await open({ width: 390, height: 800 });
	await login(page, await new_user('tilda'));
	const wide = await page.evaluate(() => document.documentElement.scrollWidth);
	assert.ok(wide <= 390, `${wide} pixels wide`);
	await shot(page, 'inbox-390');
});

scenario('read', async open => {
	const page = await open();
	const user = await new_user('leser');
	await deliver(user, {
		subject: 'Grüße aus Köln: größer, schöner €',
		text: 'Nur Text',
		html: '<h1>Schöne Überschrift</h1><p style="color:green">Grün &amp; gut: äöüß</p><img id="inline" src="cid:bild@test">' +
			'<img src="http://127.0.0.1:9/spy.png"><script>window.evil = 1</script><p onclick="window.evil=2">Absatz</p>',
		attachments: [{ filename: 'Übersicht März.txt', content: 'Zeile mit ä\r\n' },
			{ filename: 'bild.png', content: PICTURE, cid: 'bild@test' }],
	});
	await login(page, user);
	await row(page, 'Grüße aus Köln').waitFor();
	assert.match(await row(page, 'Grüße aus Köln').innerText(), /Jürgen Groß/);
	await read(page, 'Grüße aus Köln');
	assert.match(await page.locator('#message-header .subject').innerText(), /Grüße aus Köln: größer, schöner €/);
	assert.equal(await page.locator('#messagebody h1').innerText(), 'Schöne Überschrift');
	assert.match(await page.locator('#messagebody').innerText(), /Grün & gut: äöüß/);
	const picture = page.locator('#messagebody img[src*="_action=get"]').first();
	await until('the picture', () => picture.evaluate(image => image.naturalWidth === 2));
	assert.equal(await page.evaluate(() => window.evil), undefined, 'a script of the mail ran');
	assert.equal(await page.locator('#messagebody img[src*="127.0.0.1:9"]').count(), 0, 'a picture of elsewhere was fetched');
	await shot(page, 'mail');
	const link = page.locator('#attachment-list a[href*="_action=get"]', { hasText: 'Übersicht März.txt' }).first();
	const file = await page.request.get(new URL(`${await link.getAttribute('href')}&_download=1`, page.url()).href);
	assert.match(file.headers()['content-disposition'], /attachment.*%C3%9Cbersicht%20M%C3%A4rz\.txt/);
	assert.equal(await file.text(), 'Zeile mit ä\r\n');
});

/** Fills in the form for a new mail. */
async function compose(page, { to, subject, text, files = [] }) {
	await goto(page, '_task=mail&_action=compose');
	await page.locator('#compose_to .recipient-input input').fill(`${to},`);
	await page.fill('#compose-subject', subject);
	await page.fill('#composebody', text);
	if (files.length) {
		await page.locator('input[type=file]').first().setInputFiles(files);
		await until('the upload', async () => await page.locator('#attachment-list li:not(.uploading)').count() === files.length);
	}
}

scenario('write', async open => {
	const [from, to] = [await new_user('anna'), await new_user('bert')];
	const [writer, reader] = [await open(), await open({ language: 'en-US' })];
	await login(reader, to);
	await login(writer, from);
	await compose(writer, { to: to.address, subject: 'Äpfel & Öl', text: 'Grüße\n.\n..zwei Punkte\n€ ende',
		files: [{ name: 'größe.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(300000, 7) }] });
	await shot(writer, 'compose');
	await writer.click('a.send, button.send');
	await writer.waitForURL(/_mbox=INBOX|_task=mail$|_task=mail&_mbox/);
	await row(reader, 'Äpfel & Öl').waitFor({ timeout: 30000 }); // by itself
	await read(reader, 'Äpfel & Öl');
	assert.match(await reader.locator('#messagebody').innerText(), /Grüße\s+\.\s+\.\.zwei Punkte\s+€ ende/);
	assert.match(await reader.locator('#attachment-list').innerText(), /größe\.bin/);
	await goto(writer, '_task=mail&_mbox=Sent');
	await row(writer, 'Äpfel & Öl').waitFor();
});

scenario('drafts', async open => {
	const page = await open();
	await login(page, await new_user('dora'));
	await compose(page, { to: 'demo1@example.test', subject: 'Noch nicht fertig', text: 'Ein Anfang mit ß' });
	await page.click('a.save.draft');
	await told(page, /als Entwurf gespeichert/);
	await goto(page, '_task=mail&_mbox=Drafts');
	await row(page, 'Noch nicht fertig').dblclick();
	await page.waitForSelector('#composebody');
	assert.match(await page.inputValue('#composebody'), /Ein Anfang mit ß/);
	assert.match(await page.locator('#compose_to li.recipient').innerText(), /demo1@example\.test/);
});

scenario('folders', async open => {
	const page = await open();
	const user = await new_user('fritz');
	for (const subject of ['Rechnung', 'Werbung'])
		await deliver(user, { subject, text: subject });
	await login(page, user);
	await goto(page, '_task=settings&_action=folders');
	await page.click('a.create');
	const form = page.frameLocator('#preferences-frame');
	await form.locator('#_name').fill('Büro & Ämter');
	await form.locator('button.submit').click();
	await page.locator('#subscription-table li', { hasText: 'Büro & Ämter' }).waitFor();
	await shot(page, 'folders');

	await goto(page, '_task=mail');
	await idle(page);
	await drag(page, row(page, 'Rechnung'), 'Büro & Ämter');
	await drag(page, row(page, 'Werbung'), 'Gelöscht');
	await page.locator('#mailboxlist a', { hasText: 'Gelöscht' }).click();
	await row(page, 'Werbung').waitFor();
	await page.locator('#mailboxlist a', { hasText: 'Büro & Ämter' }).click();
	await row(page, 'Rechnung').waitFor();
	assert.equal(await row(page, 'Werbung').count(), 0);
});

/** A mail is taken with the mouse to a folder, as users do. */
async function drag(page, mail, folder) {
	const target = page.locator('#mailboxlist a', { hasText: folder });
	const [from, to] = [await mail.boundingBox(), await target.boundingBox()];
	await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
	await page.mouse.down();
	await page.mouse.move(from.x, from.y + 15, { steps: 4 });
	await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2, { steps: 8 });
	await Promise.all([page.waitForResponse(/_action=move/), page.mouse.up()]);
	await mail.waitFor({ state: 'hidden' });
}

function listed(page, count) {
	return until(`a list of ${count}`, async () => await page.locator('#messagelist tbody tr.message').count() === count);
}

scenario('search', async open => {
	const page = await open();
	const user = await new_user('sucher');
	for (const subject of ['Treffen am Dienstag', 'Re: Treffen am Dienstag', 'Etwas anderes'])
		await deliver(user, { subject, text: subject });
	await login(page, user);
	await row(page, 'Etwas anderes').waitFor();
	await page.fill('#mailsearchform', 'Dienstag');
	await page.press('#mailsearchform', 'Enter');
	await listed(page, 2);
	await page.click('.searchbar a.reset');
	await listed(page, 3);
});

/** The server sorts mails into threads: RFC 5256. */
scenario('threads', async open => {
	const page = await open();
	const user = await new_user('faden');
	const id = '<one@elsewhere.example>';
	await deliver(user, { subject: 'Wanderung', text: 'Wer kommt?', messageId: id });
	await deliver(user, { subject: 'Re: Wanderung', text: 'Ich käme gern', inReplyTo: id, references: id });
	await login(page, user);
	await page.click('#messagelist-header a.options');
	/* the dialog shows a copy of the form */
	await page.selectOption('#listoptions-threads-clone', 'threads');
	await page.click('.ui-dialog button.save');
	await row(page, 'Re: Wanderung').waitFor({ state: 'hidden' });
	await page.locator('#messagelist tr.thread .collapsed').first().click();
	await row(page, 'Re: Wanderung').waitFor();
	await shot(page, 'threads');
});

scenario('quota', async open => {
	const user = await new_user('quirin');
	await order(['user', 'set', user.address, '--quota', '10M']);
	const page = await open();
	await login(page, user);
	await page.locator('#quotadisplay', { hasText: /\d+ ?%/ }).waitFor();
	await shot(page, 'quota');
});

scenario('search_in_texts', async open => {
	const page = await open();
	const user = await new_user('finder');
	await deliver(user, { subject: 'Heuhaufen', text: 'Stroh' });
	await deliver(user, { subject: 'Nadel', text: 'Schlüsselwort: Zwetschgenröster' });
	await login(page, user);
	await page.click('.searchbar a.options');
	await page.check('#s_mod_text, input[name="s_mods[]"][value="text"]');
	await page.fill('#mailsearchform', 'zwetschgenRÖSTER');
	await page.press('#mailsearchform', 'Enter');
	await listed(page, 1);
	assert.equal(await row(page, 'Nadel').count(), 1);
});
