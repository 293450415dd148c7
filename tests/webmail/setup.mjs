// SPDX-License-Identifier: ISC
// Programs that set themselves up: the steps that Thunderbird and Outlook take, one after the other,
// through nginx, and a login with nothing but what they found.
import https from 'node:https';
import tls from 'node:tls';
import { access, assert, demo1, scenario } from './rig.mjs';

const DOMAIN = demo1.address.split('@')[1];
const PORT = new URL(access.webmail.url).port;

/** A request to the machine under another name of it, as DNS would have it. */
function ask(host, path, { method = 'GET', body = '', type = 'text/xml' } = {}) {
	return new Promise((done, no) => {
		const request = https.request({ host: '127.0.0.1', port: PORT, servername: host, path, method,
			rejectUnauthorized: false, headers: { Host: host, 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) } },
		answer => {
			const parts = [];
			answer.on('data', part => parts.push(part));
			answer.on('end', () => done({ status: answer.statusCode, text: Buffer.concat(parts).toString(), type: answer.headers['content-type'] }));
		});
		request.on('error', no);
		request.end(body);
	});
}

/** One line of a server that speaks TLS from the first octet. */
async function dialog(host, port, lines) {
	const socket = tls.connect({ host, port, rejectUnauthorized: false });
	socket.setEncoding('latin1');
	let text = '';
	for await (const part of socket) {
		text += part;
		if (!text.endsWith('\n'))
			continue;
		if (!lines.length)
			break;
		socket.write(`${lines.shift()}\r\n`);
	}
	socket.destroy();
	return text;
}

const element = (xml, name) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];

scenario('setup_thunderbird', async () => {
	const mail = encodeURIComponent(demo1.address);
	for (const [host, path] of [[`autoconfig.${DOMAIN}`, `/mail/config-v1.1.xml?emailaddress=${mail}`],
		[DOMAIN, `/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=${mail}`],
		[`autoconfig.${DOMAIN}`, '/mail/config-v1.1.xml']]) {
		const { status, text, type } = await ask(host, path);
		assert.equal(status, 200, host + path);
		assert.match(type, /^text\/xml/);
		const server = /<incomingServer type="imap">.*?<\/incomingServer>/s.exec(text)[0];
		assert.equal(element(server, 'socketType'), 'SSL');
		const user = element(server, 'username').replace('%EMAILADDRESS%', demo1.address);
		const said = await dialog(element(server, 'hostname'), element(server, 'port'),
			[`a LOGIN ${user} "${demo1.password}"`, 'b LOGOUT']);
		assert.match(said, /^a OK /m);
	}
});

scenario('setup_outlook', async () => {
	const host = `autodiscover.${DOMAIN}`;
	const json = await ask(host, `/autodiscover/autodiscover.json?Email=${encodeURIComponent(demo1.address)}&Protocol=AutodiscoverV1`);
	const url = new URL(JSON.parse(json.text).Url);
	const body = '<?xml version="1.0" encoding="utf-8"?><Autodiscover ' +
		'xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request>' +
		`<EMailAddress>${demo1.address}</EMailAddress></Request></Autodiscover>`;
	const { status, text } = await ask(host, url.pathname, { method: 'POST', body });
	assert.equal(status, 200);
	const smtp = text.split('<Protocol>').find(part => element(part, 'Type') === 'SMTP' && element(part, 'Encryption') === 'SSL');
	const plain = Buffer.from(`\0${element(smtp, 'LoginName')}\0${demo1.password}`).toString('base64');
	const said = await dialog(element(smtp, 'Server'), element(smtp, 'Port'), ['EHLO client.example', `AUTH PLAIN ${plain}`, 'QUIT']);
	assert.match(said, /^235 /m);
});

scenario('setup_policy_of_mta_sts', async () => {
	const { status, text, type } = await ask(`mta-sts.${DOMAIN}`, '/.well-known/mta-sts.txt');
	assert.equal(status, 200);
	assert.match(type, /^text\/plain/);
	assert.match(text, /^version: STSv1\r\nmode: testing\r\nmx: mail\.example\.test\r\nmax_age: \d+\r\n$/);
});
