// SPDX-License-Identifier: ISC
// imapflow's whole job: connect, list, append, fetch, search, flags, idle, move, delete.
import { ImapFlow } from 'imapflow';
import { access, assert, mail, tls, until } from './access.mjs';

const [user] = access.users;

function client(secure = true) {
	return new ImapFlow({
		host: '127.0.0.1',
		port: secure ? access.port.imaps : access.port.imap,
		secure,
		tls,
		auth: { user: user.address, pass: user.password },
		logger: false,
		clientInfo: { name: 'tests' },
	});
}

const one = client();
await one.connect();
const folders = await one.list();
assert.deepEqual(
	folders.map((f) => f.specialUse).filter(Boolean).sort(),
	['\\Archive', '\\Drafts', '\\Inbox', '\\Junk', '\\Sent', '\\Trash'],
);
assert.equal(folders[0].delimiter, '/');

await one.mailboxCreate(['Büro', 'Größe']);
const created = await one.list();
assert.ok(created.some((f) => f.path === 'Büro/Größe'));
await one.mailboxRename('Büro/Größe', 'Büro/Maße');
await one.mailboxSubscribe('Büro/Maße');

const big = mail('big', 'Zeile\r\n'.repeat(200_000));
for (const [subject, octets] of [['one', mail('one')], ['two', mail('two')], ['big', big]]) {
	const done = await one.append('INBOX', octets, subject === 'two' ? ['\\Seen', 'todo'] : []);
	assert.ok(done.uid && done.uidValidity, `APPENDUID of ${subject}`);
}
const status = await one.status('INBOX', { messages: true, unseen: true, uidNext: true });
assert.equal(status.messages, 3);
assert.equal(status.unseen, 2);

const lock = await one.getMailboxLock('INBOX');
assert.equal(one.mailbox.exists, 3);
const seen = [];
for await (const m of one.fetch('1:*', {
	uid: true, flags: true, envelope: true, bodyStructure: true, size: true, internalDate: true,
})) {
	seen.push(m);
}
assert.deepEqual(seen.map((m) => m.envelope.subject), ['one', 'two', 'big']);
assert.ok(seen[1].flags.has('\\Seen') && seen[1].flags.has('todo'));
assert.equal(seen[2].size, big.length);
assert.equal(seen[0].bodyStructure.type, 'text/plain');

const source = await one.fetchOne('3', { source: true });
assert.ok(source.source.equals(big), 'the big message, octet by octet');
const { content } = await one.download('1', '1');
let text = '';
for await (const chunk of content) text += chunk;
assert.equal(text.replaceAll('\r', ''), 'hello\n');

assert.deepEqual(await one.search({ seen: false }), [1, 3]);
assert.deepEqual(await one.search({ subject: 'big' }), [3]);
assert.deepEqual(await one.search({ keyword: 'todo', or: [{ seen: true }, { from: 'x' }] }), [2]);
assert.deepEqual(await one.search({ header: { 'message-id': 'x.example' } }, { uid: true }), [1, 2, 3]);

assert.ok(await one.messageFlagsAdd('1', ['\\Flagged']));
assert.ok(await one.messageFlagsRemove('2', ['todo']));
const flags = (await one.fetchOne('1', { flags: true })).flags;
assert.ok(flags.has('\\Flagged'));
lock.release();

// Another connection, by STARTTLS, tells the first one in its IDLE what is new.
const two = client(false);
await two.connect();
await one.mailboxOpen('INBOX');
const news = { exists: 0, flags: 0, expunge: 0 };
for (const what of Object.keys(news)) one.on(what, () => news[what]++);
const idling = one.idle();
await new Promise((resolve) => setTimeout(resolve, 300));
await two.append('INBOX', mail('news'));
await until(() => news.exists, 'news of a new message in IDLE');
await two.mailboxOpen('INBOX');
await two.messageFlagsAdd('2', ['\\Answered']);
await until(() => news.flags, 'news of a flag in IDLE');
await two.messageDelete('4');
await until(() => news.expunge, 'news of a deletion in IDLE');
await one.noop();
await idling;

const moved = await two.messageMove('1', 'Archive');
assert.equal(moved.uidMap.size, 1);
const copied = await two.messageCopy('1', 'Büro/Maße');
assert.equal(copied.uidMap.size, 1);
assert.equal((await two.status('Archive', { messages: true })).messages, 1);
assert.equal((await two.status('Büro/Maße', { messages: true })).messages, 1);
await two.mailboxDelete('Büro/Maße');
await two.logout();
await one.logout();

const wrong = new ImapFlow({
	host: '127.0.0.1', port: access.port.imaps, secure: true, tls, logger: false,
	auth: { user: user.address, pass: 'wrong-Aa1-wrong' },
});
await assert.rejects(wrong.connect(), (error) => error.authenticationFailed === true);
wrong.close();
