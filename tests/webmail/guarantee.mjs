// SPDX-License-Identifier: ISC
// Both guarantees as switches in the settings: set, kept, in effect on port 25; on a phone, by
// keyboard, in English; and what the operator wants of all accounts.
import axe from 'axe-core';
import { assert, deliver, goto, login, new_user, order, scenario, shot, told } from './rig.mjs';

function account(page) {
	return goto(page, '_task=settings&_action=plugin.tecsmail-account');
}

async function shown(page) {
	return [await page.locator('input[name=_sending]:checked').getAttribute('value'),
		await page.locator('input[type=checkbox][name=_receiving]').isChecked()];
}

async function kept(user) {
	const row = JSON.parse(await order(['user', 'show', user.address, '--json']));
	return [row.own_sending_guarantee, row.own_receiving_guarantee];
}

scenario('guarantee_sending', async open => {
	const page = await open();
	const user = await new_user('gero');
	await login(page, user);
	await account(page);
	assert.deepEqual(await shown(page), ['none', false]);
	for (const [name, word] of [['Nur verschlüsselt', 'encrypted'],
		['Nur verschlüsselt und nur an geprüfte Server', 'authenticated'], ['So sicher wie möglich', 'none']]) {
		await page.getByRole('radio', { name, exact: true }).check();
		await page.click('form.guarantee button');
		await told(page, /Gespeichert/);
		assert.deepEqual(await shown(page), [word, false]);
		assert.deepEqual(await kept(user), [word, 'any']);
	}
	await page.getByText('kommen mit einer Erklärung zurück.').first().waitFor();
	await shot(page, 'guarantee');
});

scenario('guarantee_receiving', async open => {
	const page = await open();
	const user = await new_user('greta');
	await login(page, user);
	await account(page);
	const only = page.getByRole('switch', { name: 'Nur verschlüsselt annehmen' });
	await only.check();
	await page.click('form.guarantee button');
	await told(page, /Gespeichert/);
	assert.ok(await only.isChecked());
	assert.deepEqual(await kept(user), ['none', 'encrypted']);
	await assert.rejects(deliver(user, { subject: 'offen', text: '-' }, { plain: true }),
		/5\.7\.10 .*verschluesselte Verbindungen/s);
	await deliver(user, { subject: 'verschlossen', text: '-' });
	await account(page);
	await only.uncheck();
	await page.click('form.guarantee button');
	await told(page, /Gespeichert/);
	await deliver(user, { subject: 'offen', text: '-' }, { plain: true });
	await goto(page, '_task=mail');
	await page.locator('#messagelist', { hasText: 'verschlossen' }).waitFor();
	await page.locator('#messagelist', { hasText: 'offen' }).waitFor();
});

scenario('guarantee_for_everybody', async open => {
	for (const [language, width] of [['de-DE', 390], ['en-GB', 390], ['en-GB', 1280]]) {
		const page = await open({ language, width });
		await login(page, await new_user('gabi'));
		await account(page);
		await page.locator('form.guarantee').waitFor();
		await page.evaluate(axe.source);
		const { violations } = await page.evaluate(() => window.axe.run('.tecsmail-page', { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }));
		assert.deepEqual(violations.map(v => `${v.id} at ${v.nodes.map(node => node.html).join(' ')}`), []);
		const wide = await page.locator('form.guarantee').evaluate(form => form.scrollWidth - form.clientWidth);
		assert.ok(wide <= 0, `${wide} pixels too wide`);
		await page.locator('form.guarantee').scrollIntoViewIfNeeded();
		await shot(page, `guarantee-${language}-${width}`);
		// By keyboard alone: the next choice, the switch, the button.
		await page.locator('input[name=_sending]:checked').focus();
		await page.keyboard.press('ArrowDown');
		await page.keyboard.press('Tab');
		await page.keyboard.press('Space');
		await page.keyboard.press('Tab');
		await page.keyboard.press('Enter');
		await told(page, language === 'de-DE' ? /Gespeichert/ : /Saved/);
		assert.deepEqual(await shown(page), ['encrypted', true]);
	}
});
