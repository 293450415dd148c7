// SPDX-License-Identifier: ISC
// nodemailer's whole job: by TLS and by STARTTLS, pooled, with attachments; and what is refused.
import nodemailer from 'nodemailer';
import { access, assert, tls } from './access.mjs';

const [user, friend] = access.users;
const auth = { user: user.address, pass: user.password };

function transport(port, options) {
	return nodemailer.createTransport({ host: '127.0.0.1', port: access.port[port], tls, ...options });
}

const secure = transport('submissions', { secure: true, auth });
assert.ok(await secure.verify());
const blob = Buffer.from(Uint8Array.from({ length: 1_000_000 }, (_, n) => n % 251));
const info = await secure.sendMail({
	from: user.address,
	to: friend.address,
	subject: 'tls',
	text: 'Schöne Grüße\n.\n..\n',
	html: '<p>Schöne Grüße</p>',
	attachments: [
		{ filename: 'größe.bin', content: blob },
		{ filename: 'note.txt', content: 'a note\n' },
	],
});
assert.deepEqual(info.accepted, [friend.address]);
assert.match(info.response, /^250 2\./);

const pool = transport('submission', { requireTLS: true, auth, pool: true, maxConnections: 2, authMethod: 'LOGIN' });
await Promise.all([0, 1, 2].map((n) =>
	pool.sendMail({ from: user.address, to: friend.address, subject: `starttls ${n}`, text: 'hi' })));
pool.close();

await transport('smtp', { requireTLS: true }).sendMail({
	from: 'a@elsewhere.example', to: friend.address, subject: 'mx', text: 'hi',
});

await assert.rejects(
	transport('smtp', { requireTLS: true }).sendMail({
		from: 'a@elsewhere.example', to: 'victim@far.example', subject: 'relay', text: 'hi',
	}),
	(error) => error.responseCode === 550 && error.response.includes('5.7.1'));
await assert.rejects(
	secure.sendMail({ from: friend.address, to: friend.address, subject: 'forged', text: 'hi' }),
	(error) => error.responseCode === 553);
await assert.rejects(
	transport('submissions', { secure: true, auth: { ...auth, pass: 'wrong-Aa1-wrong' } }).verify(),
	(error) => error.responseCode === 535);
await assert.rejects( // without TLS no login is offered, and without a login nothing is taken
	transport('submission', { ignoreTLS: true, auth }).sendMail({
		from: user.address, to: friend.address, subject: 'clear', text: 'hi',
	}),
	(error) => error.responseCode === 530);
