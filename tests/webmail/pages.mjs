// SPDX-License-Identifier: ISC
// The provider's pages, through nginx: on a telephone and on a desk, in both languages, by day and
// by night. axe-core looks for what shuts people out.
import axe from 'axe-core';
import { assert, demo1, goto, idle, login, new_user, order, scenario, shot } from './rig.mjs';

const PAGES = ['/', '/access', '/setup', '/password', '/lockout', '/transport', '/service', '/join',
	'/nowhere'];
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What is wrong with the page that is shown. */
async function faults(page) {
	const found = [];
	const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
	if (over > 0)
		found.push(`${over} pixels too wide`);
	await page.evaluate(axe.source);
	for (const [scheme, rules] of [['dark', ['color-contrast']], ['light', RULES]]) { // by night only colours differ
		await page.emulateMedia({ colorScheme: scheme });
		const { violations } = await page.evaluate(only => window.axe.run(document, { runOnly: only }), rules);
		found.push(...violations.map(v => `${scheme}: ${v.id} at ${v.nodes.map(node => node.target).join(' ')}`));
	}
	return found;
}

async function look_at_all(page, name) {
	const strangers = [];
	page.on('request', request => {
		if (!request.url().startsWith(`${page.site}/`))
			strangers.push(request.url());
	});
	for (const path of PAGES) {
		await page.goto(page.site + path);
		assert.deepEqual(await faults(page), [], path);
		await shot(page, `page${path.replace(/\W/g, '_')}-${name}`);
	}
	assert.deepEqual(strangers, [], 'asked elsewhere');
}

for (const [language, width] of [['de-DE', 390], ['de-DE', 1280], ['en-GB', 390], ['en-GB', 1280]]) {
	const name = `${language.slice(0, 2)}-${width}`;
	scenario(`pages_${name}`, async open => {
		const page = await open({ language, width, may: [/status of 40[34]/] });
		await look_at_all(page, name);
		assert.equal(await page.getAttribute('html', 'lang'), language.slice(0, 2));
	});
}

scenario('menu_leads_on', async open => {
	const page = await open();
	await page.goto(page.site);
	const items = await page.locator('.menu a').count();
	assert.ok(items >= 7, `${items} items`);
	for (let n = 0; n < items; n++) {
		const item = page.locator('.menu a').nth(n);
		const text = (await item.locator('strong').innerText()).trim();
		await item.click();
		await page.waitForSelector(text.startsWith('E-Mail online') ? '#rcmloginuser' : 'h1');
		if (!text.startsWith('E-Mail online'))
			assert.equal((await page.locator('h1').innerText()).trim(), text);
		await page.goto(page.site);
	}
});

scenario('language_switch', async open => {
	const page = await open();
	await page.goto(`${page.site}/access`);
	await page.click('text=English');
	assert.equal(await page.locator('h1').innerText(), 'Access data');
	await page.click('header .home');
	assert.equal(await page.locator('h1').innerText(), 'Your mail');
});

async function fill(page, user, old, fresh, again = fresh) {
	await page.goto(`${page.site}/password`);
	await page.fill('#user', user.address);
	await page.fill('#password', old);
	await page.fill('#new', fresh);
	await page.fill('#again', again);
	await page.click('main button');
	return (await page.locator('.box').innerText()).trim();
}

scenario('password_page', async open => {
	const page = await open({ may: [/status of 4(03|22)/] });
	const user = await new_user('paul');
	const fresh = 'Ganz-neues-Passwort-1';
	assert.match(await fill(page, user, user.password, 'kurz'), /mindestens 8 Zeichen/);
	assert.deepEqual(await faults(page), []);
	assert.match(await fill(page, user, user.password, fresh, 'anderes'), /Wiederholung/);
	assert.match(await fill(page, user, 'falsch', fresh), /falsch/);
	assert.match(await fill(page, user, user.password, fresh), /gilt ab sofort/);
	assert.deepEqual(await faults(page), []);
	await login(page, user, fresh);
	await page.goto(`${page.site}/password`);
	await page.click('main a[href*="plugin.password"]');
	await page.waitForSelector('#curpasswd');
});

scenario('lockout_page', async open => {
	const page = await open({ from: '127.5.5.5', may: [/status of 403/] });
	await page.goto(`${page.site}/lockout`);
	assert.match(await page.locator('.box').innerText(), /127\.5\.5\.5 ist nicht gesperrt/);
	for (let n = 0; n < 5; n++)
		await fill(page, demo1, 'falsch', 'Ganz-neues-Passwort-2');
	assert.match(await page.locator('.box').innerText(), /Zugang gesperrt bis .*: 5 falsche Passwörter/);
	await page.goto(`${page.site}/lockout`);
	assert.match(await page.locator('.box').innerText(), /127\.5\.5\.5: Zugang gesperrt bis/);
	assert.deepEqual(await faults(page), []);
	await shot(page, 'page_lockout-closed');
});

scenario('join_by_invitation', async open => {
	const page = await open({ width: 390, may: [/status of 4(03|22)/] });
	const user = { address: 'inge@example.test', password: 'Ganz-neu-und-lang-7' };
	const { link } = JSON.parse(await order(['invite', '--json', user.address]));
	await page.goto(link);
	assert.match(await page.locator('.box').innerText(), /keine neuen Benutzer/);
	await order(['service', 'open']);
	await page.goto(`${page.site}/join`);
	assert.deepEqual(await faults(page), []);
	await page.goto(link);
	await page.click('text=English');
	assert.match(await page.locator('h1').innerText(), /New account/);
	await page.click('text=Deutsch');
	assert.equal(await page.inputValue('#user'), user.address);
	assert.deepEqual(await faults(page), []);
	await shot(page, 'page_join-open');
	for (const password of ['grün-und-blau-7', user.password]) {
		await page.fill('#new', password);
		await page.fill('#again', password);
		await page.click('main button');
	}
	assert.match(await page.locator('.box').innerText(), /inge@example\.test ist angelegt/);
	assert.deepEqual(await faults(page), []);
	await login(page, user);
	await page.goto(link);
	assert.equal(await page.locator('form').count(), 0, 'the link is good twice');
	await order(['service', 'closed', '--notice', 'Am Sonntag ziehen wir um']);
	await page.goto(page.site);
	assert.match(await page.locator('.box').innerText(), /Am Sonntag ziehen wir um/);
	assert.deepEqual(await faults(page), []);

	// What all shall read stands in the webmail too, at the door and inside.
	await order(['service', 'ended', '--on', '2099-12-31', '--notice', 'Umzug <b>bald</b>']);
	const english = await open({ language: 'en-US' });
	await goto(english, '_task=login');
	await english.locator('.tecsmail-notice', { hasText: /The service ends on 2099-12-31.*Umzug <b>bald<\/b>/ }).waitFor();
	await shot(english, 'notice-login');
	await goto(page, '_task=mail');
	await page.locator('#messagelist-content .tecsmail-notice', { hasText: /Der Dienst endet am 31\.12\.2099/ }).waitFor();
	await shot(page, 'notice-390');
	await order(['service', 'closed']);
	await goto(page, '_task=mail');
	await idle(page);
	assert.equal(await page.locator('.tecsmail-notice').count(), 0);
});
