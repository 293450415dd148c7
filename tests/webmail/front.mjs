// SPDX-License-Identifier: ISC
// The web server before it all: what it says in clear, to whom it speaks how, what it hides.
import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { access, assert, facts, scenario, until } from './rig.mjs';

const PORT = Number(new URL(access.webmail.url).port);

function get(url, how = {}) {
	return new Promise((done, no) => {
		const library = url.startsWith('https:') ? https : http;
		library.request(url, { rejectUnauthorized: false, ...how }, answer => {
			answer.resume();
			done({ status: answer.statusCode, headers: answer.headers });
		}).on('error', no).end();
	});
}

/** [version, cipher], or why not. */
function shake_hands(how) {
	return new Promise(done => {
		const socket = tls.connect({ port: PORT, host: 'localhost', rejectUnauthorized: false, ...how }, () => {
			done([socket.getProtocol(), socket.getCipher().standardName]);
			socket.destroy();
		});
		socket.on('error', error => done([error.code]));
	});
}

scenario('front_clear', async () => {
	const there = await get(`http://localhost:${PORT - 443 + 80}/webmail/?_task=mail`);
	assert.equal(there.status, 301);
	assert.equal(there.headers.location, `https://localhost:${PORT}/webmail/?_task=mail`);
	assert.equal((await get(`http://localhost:${PORT}/x`)).headers.location, `https://localhost:${PORT}/x`);
});

/** Not from an address that others of the tests use. */
scenario('front_links_are_secret', async () => {
	const said = () => fs.readFile(path.join(facts.webmail, 'logs/nginx.log'), 'utf8');
	const post = where => get(`https://localhost:${PORT}${where}`, { method: 'POST', headers: { 'Content-Length': 70000 } });
	assert.equal((await post('/access?what=iswritten')).status, 413);
	assert.equal((await post('/join?invitation=issecret')).status, 413);
	await until('the error log', async () => (await said()).includes('iswritten'));
	assert.equal((await said()).includes('issecret'), false);
	assert.equal((await fs.readFile(path.join(facts.webmail, 'logs/access.log'), 'utf8')).includes('issecret'), false);
});

scenario('front_logins_are_rationed', async () => {
	for (const [query, localAddress] of [['?_task=login', '127.9.7.70'], ['?_task=mail', '127.9.7.71'], ['', '127.9.7.72']]) {
		const answers = await Promise.all(Array.from({ length: 30 }, () => get(`https://localhost:${PORT}/webmail/${query}`,
			{ method: 'POST', host: '127.0.0.1', localAddress })));
		const turned_away = answers.filter(({ status }) => status === 429).length;
		assert.ok(turned_away >= 5 && turned_away < 30, `${query}: ${turned_away} of 30`);
	}
	assert.equal((await get(`https://localhost:${PORT}/webmail/?_task=login`, { host: '127.0.0.1', localAddress: '127.9.7.70' })).status, 200);
});

/** As through two proxies. */
scenario('front_fields_twice', async () => {
	for (const field of ['Via', 'Accept-Language', 'Cookie', 'User-Agent', 'X-Forwarded-For'])
		for (const place of ['/', '/webmail/'])
			assert.equal((await get(`https://localhost:${PORT}${place}`,
				{ headers: ['Host', 'localhost', field, 'de', field, 'en'] })).status, 200, `${field} ${place}`);
});

/** Whatever is asked for. */
scenario('front_hangs_up_on_the_banned', async () => {
	const list = path.join(path.dirname(facts.conf), 'run', 'denied.conf');
	const kept = await fs.readFile(list, 'utf8');
	const banned = '127.9.7.80', status = (port, place, localAddress) =>
		get(`${port === PORT ? 'https' : 'http'}://127.0.0.1:${port}${place}`, { localAddress }).then(answer => answer.status, error => error.code);
	await fs.writeFile(list, `${kept}deny ${banned};\n`);
	await until('the ban', async () => await status(PORT, '/', banned) === 'ECONNRESET');
	for (const [port, place, others] of [[PORT, '/webmail', 308], [PORT, '/webmail/', 200], [PORT, '/webmail/x.php', 404],
		[PORT, '/webmail/branding/icon.svg', 200], [PORT - 443 + 80, '/x', 301], [PORT - 443 + 80, '/.well-known/acme-challenge/x', 404]]) {
		assert.equal(await status(port, place, banned), 'ECONNRESET', place);
		assert.equal(await status(port, place, '127.9.7.81'), others, place);
	}
	await fs.writeFile(list, kept);
});

scenario('front_headers', async () => {
	for (const place of ['/', '/webmail/', '/webmail/branding/icon.svg', '/webmail/nothing.php']) {
		const { status, headers } = await get(`https://localhost:${PORT}${place}`);
		assert.equal(headers['strict-transport-security'], 'max-age=31536000', place);
		assert.ok(!/\d/.test(headers.server) && !headers['x-powered-by'], place);
		if (status === 200) {
			assert.equal(headers['x-content-type-options'], 'nosniff', place);
			assert.match(headers['content-security-policy'], /default-src '(none|self)'.*frame-ancestors '(none|self)'/, place);
			assert.equal(headers['referrer-policy'], 'no-referrer', place);
		}
	}
	const { headers } = await get(`https://localhost:${PORT}/webmail/`);
	for (const cookie of headers['set-cookie'])
		for (const word of ['path=/webmail/', 'secure', 'HttpOnly', 'SameSite=Lax'])
			assert.ok(cookie.includes(word), cookie);
});

scenario('front_hides', async () => {
	for (const place of ['config/config.inc.php', 'config/', 'db/roundcube.sqlite', 'logs/errors.log', '../etc/des_key',
		'installer/', 'program/include/rcmail.php', 'plugins/tecsmail/lib/server.php', 'plugins/tecsmail/localization/de_DE.inc',
		'skins/elastic/meta.json', 'SQL/sqlite.initial.sql', 'bin/gc.sh', 'index.php/x.php', '%2e%2e/etc/des_key'])
		assert.equal((await get(`https://localhost:${PORT}/webmail/${place}`)).status, 404, place);
});

scenario('front_ciphers', async () => {
	assert.deepEqual(await shake_hands({}), ['TLSv1.3', 'TLS_AES_256_GCM_SHA384']);
	assert.deepEqual(await shake_hands({ maxVersion: 'TLSv1.2' }), ['TLSv1.2', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384']);
	for (const how of [{ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
		{ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA' }, { maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384' }])
		assert.equal((await shake_hands(how)).length, 1, JSON.stringify(how));
});

scenario('front_certificate', async () => {
	const served = () => new Promise((done, no) => {
		const socket = tls.connect({ port: PORT, host: 'localhost', rejectUnauthorized: false }, () => {
			done(socket.getPeerCertificate().subject.CN);
			socket.destroy();
		});
		socket.on('error', no);
	});
	assert.equal(await served(), 'mail.example.test');
	const [certificate, key] = [access.certificate, path.join(path.dirname(access.certificate), 'key.pem')];
	const old = await Promise.all([certificate, key].map(file => fs.readFile(file)));
	await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
		'-subj', '/CN=renewed.example.test', '-keyout', key, '-out', certificate]);
	await until('the new certificate', async () => await served() === 'renewed.example.test');
	await fs.writeFile(key, old[1]);
	await fs.writeFile(certificate, old[0]);
	await until('the old one again', async () => await served() === 'mail.example.test');
});

/** PHP has no network but the server's sockets, where the kernel lets us take it away. */
scenario('php_is_fenced_in', async () => {
	const unshare = process.getuid() ? ['--user', '--map-current-user', '--net', 'true'] : ['--net', 'true'];
	if (await promisify(execFile)('unshare', unshare).then(() => false, () => true))
		return 'no network namespaces here';
	const php = (await fs.readFile(path.join(facts.webmail, 'run/php.pid'), 'utf8')).trim();
	assert.notEqual(await fs.readlink(`/proc/${php}/ns/net`), await fs.readlink('/proc/self/ns/net'));
});
