# SPDX-License-Identifier: ISC
"""Libraries that programs are made with: Python's imaplib, poplib and smtplib; imapflow and
nodemailer of npm."""
import base64
import email
import email.message
import email.policy
import imaplib
import json
import pathlib
import poplib
import random
import re
import smtplib
import threading
import time

from harness import (ANSWER_S, User, Wire, check, equal, has_ipv6, message, prepared, program, scenario,
                     subject_of, wait_until)

HERE = pathlib.Path(__file__).resolve().parent


def big_mail(octets, sender, to):
    """A mail with an attachment of so many octets and a text with umlauts."""
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, to, "Groß und schön"
    mail.set_content("Schöne Grüße aus Köln\n")
    mail.add_attachment(random.Random(octets).randbytes(octets), maintype="application",
                        subtype="octet-stream", filename="größe.bin")
    return mail


def utf7(name):
    """A mailbox name as IMAP writes it: RFC 3501 5.1.3."""
    def shifted(match):
        text = base64.b64encode(match.group().encode("utf-16-be")).rstrip(b"=").decode()
        return "&" + text.replace("/", ",") + "-"
    return re.sub(r"[^\x20-\x7e]+", shifted, name.replace("&", "&-"))


def ok(answer, what):
    check(answer[0] == "OK", f"{what}: {answer!r:.300}")
    return answer[1]


@scenario()
def python_clear_is_refused(server):
    """Before TLS nothing offers a login, and a password sent anyway is refused and logged."""
    user = server.user("clear")
    at = len(server.log_text())
    token = base64.b64encode(f"\0{user.address}\0{user.password}".encode()).decode()

    with server.wire("imap") as w:
        greeting = w.expect("* OK").decode()
        caps = w.imap("CAPABILITY")[0].decode()
        for text in (greeting, caps):
            check("LOGINDISABLED" in text and "STARTTLS" in text and "AUTH=" not in text,
                  f"before TLS: {text}")
        last = w.imap(f"LOGIN {user.address} {user.password}", "NO")[-1]
        check(b"[PRIVACYREQUIRED]" in last, f"LOGIN: {last}")
        w.imap("AUTHENTICATE PLAIN " + token, "NO")
        w.imap("AUTHENTICATE PLAIN", "NO")
        w.imap("SELECT INBOX", "BAD")
    with server.wire("pop3") as w:
        w.expect("+OK")
        w.send("CAPA\r\n")
        caps = w.until(".")
        check(b"STLS" in caps and not any(c.startswith((b"SASL", b"USER")) for c in caps),
              f"CAPA before TLS: {caps}")
        for line in (f"USER {user.address}", f"PASS {user.password}", "AUTH PLAIN " + token):
            w.send(line + "\r\n")
            w.expect("-ERR")
    for name in ("submission", "smtp"):
        with server.wire(name) as w:
            w.smtp(None, 220)
            text = w.smtp("EHLO client.example", 250)
            check("STARTTLS" in text and "AUTH" not in text, f"EHLO before TLS: {text}")
            w.smtp("AUTH PLAIN " + token, 5)
    check(wait_until(lambda: [line for line in server.log_text()[at:].splitlines()
                              if "clear" in line and user.address in line],
                     what="a line in the log about passwords in clear"), "")
    check(user.password not in server.log_text()[at:], "the password is in the log")


@scenario()
def python_smtplib(server):
    user, friend, third = server.user("smtp"), server.user("friend"), server.user("third")
    mail = big_mail(3_000_000, user.address, friend.address)
    octets = mail.as_bytes()
    with smtplib.SMTP("localhost", server.port("submission"), "client.example",
                      timeout=ANSWER_S) as client:
        client.ehlo()
        check(not client.has_extn("auth"), "AUTH before TLS")
        client.starttls(context=server.context())
        client.ehlo()
        for word in ("size", "8bitmime", "smtputf8", "pipelining", "chunking", "auth",
                     "enhancedstatuscodes"):
            check(client.has_extn(word), f"EHLO does not offer {word}")
        client.login(*user)
        equal(client.sendmail(user.address, [friend.address, third.address], octets), {}, "refused")
        try:  # one bad recipient does not spoil the good one
            refused = client.sendmail(user.address, [friend.address, "nobody@example.test"],
                                      message("half", sender=user.address))
            equal(refused["nobody@example.test"][0], 550, "the unknown user")
        finally:
            client.rset()
        client.sendmail(user.address, [friend.address], message(
            "8bit", "Grüße\r\n..\r\n.\r\n\r\n", sender=user.address,
            extra="Content-Type: text/plain; charset=utf-8\r\n"), ["BODY=8BITMIME"])
    for who in (friend, third):
        got = [m for m in server.fetch(who).values() if m.endswith(octets)]
        equal(len(got), 1, f"{who.address}: the big mail, octet by octet")
    equal(server.subjects(friend), sorted(["8bit", "half", subject_of(octets)]), "arrived")
    body = next(m for m in server.fetch(friend).values() if subject_of(m) == "8bit")
    check(body.endswith("\r\n\r\nGrüße\r\n..\r\n.\r\n\r\n".encode()), f"the body: {body!r}")
    with server.submission(user) as client:  # without Date and Message-ID: they are added
        client.sendmail(user.address, [third.address], f"From: {user.address}\r\n"
                        "Subject: bare\r\n\r\nhi\r\n".encode())
    bare = next(m for m in server.fetch(third).values() if subject_of(m) == "bare")
    check(re.search(rb"(?m)^Date: ", bare) and re.search(rb"(?m)^Message-ID: <", bare),
          f"the header of a bare mail: {bare!r}")


@scenario()
def python_poplib(server):
    user = server.user("pop")
    mails = [message(f"pop {n}", f"one {n}\r\n.two\r\nthree\r\nfour\r\n") for n in range(5)]
    for mail in mails:
        server.deliver(user, mail)
    kept = [octets for _, octets in sorted(server.fetch(user).items())]

    client = poplib.POP3("localhost", server.port("pop3"), timeout=ANSWER_S)
    client.stls(context=server.context())
    client.user(user.address)
    client.pass_(user.password)
    equal(client.stat(), (5, sum(map(len, kept))), "STAT")
    equal([int(row.split()[1]) for row in client.list()[1]], [len(m) for m in kept], "LIST")
    ids = [row.split()[1] for row in client.uidl()[1]]
    equal(len(set(ids)), 5, "ids in UIDL")
    equal(b"\r\n".join(client.retr(3)[1]) + b"\r\n", kept[2], "RETR")
    top = client.top(1, 2)[1]
    equal(top[-2:], [b"one 0", b".two"], "TOP")
    client.dele(2)
    client.dele(4)
    client.rset()
    client.dele(1)
    client.dele(5)
    client.close()  # without QUIT: nothing is deleted
    equal(len(server.fetch(user)), 5, "after a cut connection")

    client = poplib.POP3_SSL("localhost", server.port("pop3s"), timeout=ANSWER_S,
                             context=server.context())
    check(b"+OK" in client.getwelcome(), "the greeting")
    for word in ("UIDL", "TOP", "PIPELINING", "RESP-CODES"):
        check(word in client.capa(), f"CAPA has no {word}")
    client.user(user.address)
    client.pass_(user.password)
    equal([row.split()[1] for row in client.uidl()[1]], ids, "ids in another session")
    client.dele(2)
    client.dele(4)
    client.quit()
    equal(server.subjects(user), ["pop 0", "pop 2", "pop 4"], "after QUIT")

    client = poplib.POP3_SSL("localhost", server.port("pop3s"), timeout=ANSWER_S,
                             context=server.context())
    client.user(user.address)
    try:
        client.pass_("wrong-Aa1-wrong")
        check(False, "a wrong password was good enough")
    except poplib.error_proto as no:
        check(b"[AUTH]" in no.args[0], f"a wrong password: {no}")
    client.close()


@scenario()
def python_imaplib(server):
    user = server.user("imap")
    client = imaplib.IMAP4("localhost", server.port("imap"), timeout=ANSWER_S)
    check("LOGINDISABLED" in client.capabilities, "no LOGINDISABLED before TLS")
    client.starttls(server.context())
    check("LOGINDISABLED" not in client.capabilities, "LOGINDISABLED under TLS")
    for word in ("IMAP4REV1", "AUTH=PLAIN", "LITERAL+", "SASL-IR", "IDLE", "UIDPLUS", "MOVE",
                 "UNSELECT", "NAMESPACE", "ID", "CHILDREN", "ENABLE", "SPECIAL-USE",
                 "LIST-EXTENDED"):
        check(word in client.capabilities, f"no {word} among {client.capabilities}")
    check(any(c.startswith("APPENDLIMIT=") for c in client.capabilities), "no APPENDLIMIT")
    try:
        client.login(user.address, "wrong-Aa1-wrong")
        check(False, "a wrong password was good enough")
    except imaplib.IMAP4.error as no:
        check("AUTHENTICATIONFAILED" in str(no), f"a wrong password: {no}")
    client.authenticate("PLAIN", lambda _: f"\0{user.address}\0{user.password}".encode())
    ok(client.namespace(), "NAMESPACE")

    mails = [message(f"mail {n}", f"body {n}\r\n" * (n + 1)) for n in range(10)]
    for n, mail in enumerate(mails):
        text = ok(client.append("INBOX", "(\\Seen)" if n % 2 else None, None, mail), "APPEND")
        check(re.match(rb"\[APPENDUID \d+ %d\]" % (n + 1), text[0]), f"APPENDUID: {text}")
    equal(ok(client.select("INBOX"), "SELECT"), [b"10"], "EXISTS")
    equal(ok(client.search(None, "UNSEEN"), "SEARCH"), [b"1 3 5 7 9"], "UNSEEN")
    equal(ok(client.search(None, "SUBJECT", '"mail 7"'), "SEARCH"), [b"8"], "SUBJECT")
    equal(ok(client.search(None, "NOT", "SEEN", "BODY", '"body 4"'), "SEARCH"), [b"5"], "BODY")
    rows = ok(client.fetch("3", "(UID FLAGS RFC822.SIZE BODY.PEEK[])"), "FETCH")
    equal(rows[0][1], mails[2], "the octets")
    check(b"RFC822.SIZE %d" % len(mails[2]) in rows[0][0], f"the size: {rows[0][0]}")
    rows = ok(client.fetch("3", "(BODY.PEEK[]<5.20>)"), "FETCH")
    equal(rows[0][1], mails[2][5:25], "a piece")
    rows = ok(client.fetch("1:2", "(ENVELOPE BODYSTRUCTURE INTERNALDATE)"), "FETCH")
    check(b'"mail 0"' in rows[0] and b'"TEXT" "PLAIN"' in rows[0].upper(), f"ENVELOPE: {rows[0]}")
    ok(client.fetch("1", "(RFC822)"), "FETCH")
    equal(ok(client.search(None, "UNSEEN"), "SEARCH"), [b"3 5 7 9"], "after a FETCH that reads")
    ok(client.store("1:2", "+FLAGS", "(\\Flagged $Forwarded holiday)"), "STORE")
    equal(ok(client.search(None, "KEYWORD", "holiday"), "SEARCH"), [b"1 2"], "KEYWORD")
    ok(client.copy("1:2", "Archive"), "COPY")
    equal(client.response("COPYUID")[1][0].split()[1:], [b"1:2", b"1:2"], "COPYUID")
    status, _ = client.copy("1", "nowhere")
    equal(status, "NO", "COPY to nowhere")
    ok(client.uid("MOVE", "5:6", "Trash"), "UID MOVE")
    equal(server.subjects(user, "Trash"), ["mail 4", "mail 5"], "moved")
    ok(client.store("1,3", "+FLAGS", "(\\Deleted)"), "STORE")
    ok(client.uid("EXPUNGE", "3"), "UID EXPUNGE")  # UIDPLUS: only this one
    equal(server.subjects(user), ["mail 0", "mail 1", "mail 3", "mail 6", "mail 7", "mail 8",
                                  "mail 9"], "after UID EXPUNGE")
    ok(client.close(), "CLOSE")
    equal(len(server.fetch(user)), 6, "after CLOSE")
    ok(client.delete("Archive"), "DELETE")
    equal(client.logout()[0], "BYE", "LOGOUT")


@scenario()
def python_imap_names(server):
    """Umlauts and more in names, the hierarchy, LIST-EXTENDED and SPECIAL-USE."""
    user = server.user("names")
    client = server.imap(user)
    names = ["Entwürfe & Größe", "日本語/下", "Rechnungen/2026/März", "with \"quote\" and \\"]
    for name in names:
        quoted = '"' + utf7(name).replace("\\", "\\\\").replace('"', '\\"') + '"'
        ok(client.create(quoted), f"CREATE {name}")
        ok(client.append(quoted, None, None, message(name.encode().hex())), f"APPEND {name}")
        equal(ok(client.select(quoted), f"SELECT {name}"), [b"1"], f"EXISTS {name}")
    ok(client.rename(utf7("Rechnungen"), f'"{utf7("Büro")}"'), "RENAME")
    ok(client.select(utf7("Büro/2026/März")), "SELECT of what moved along")
    equal(client.create("INBOX")[0], "NO", "CREATE INBOX")
    equal(client.select(utf7("Köln"))[0], "NO", "SELECT of nothing")
    client.logout()

    with server.wire("imaps") as w:
        w.expect("* OK")
        w.imap(f"LOGIN {user.address} {user.password}")
        uses = b"\n".join(w.imap('LIST (SPECIAL-USE) "" "*" RETURN (SPECIAL-USE)')).decode()
        for use in ("Drafts", "Sent", "Junk", "Trash", "Archive"):
            check(f"\\{use}" in uses, f"no {use}: {uses}")
        w.imap('SUBSCRIBE "Sent"')
        rows = w.imap('LIST (SUBSCRIBED) "" "*" RETURN (CHILDREN)')
        check(any(b"\\Subscribed" in r and b"Sent" in r for r in rows), f"SUBSCRIBED: {rows}")
        rows = w.imap(f'LIST "" ("{utf7("Büro")}" "{utf7("Büro")}/%") RETURN (CHILDREN)')
        equal(sum(r.startswith(b"* LIST") for r in rows), 2, "LIST with two patterns")
        check(any(b"\\HasChildren" in r for r in rows), f"CHILDREN: {rows}")
        # LITERAL+ and a name in a literal
        name = utf7("日本語").encode()
        w.send(b"l STATUS {%d+}\r\n%s (MESSAGES UIDNEXT)\r\n" % (len(name), name))
        w.until("l OK")
        w.imap("LIST \"\" \"\"")
        w.imap("LOGOUT")


class Idler:
    """A connection in IDLE whose lines are collected."""

    def __init__(self, server, user, mailbox="INBOX"):
        self.wire = server.wire("imaps")
        self.wire.expect("* OK")
        self.wire.imap(f"LOGIN {user.address} {user.password}")
        self.wire.imap(f"SELECT {mailbox}")
        self.wire.send("i IDLE\r\n")
        self.wire.until("+")
        self.lines = []
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while True:
            try:
                line = self.wire.line()
            except OSError:
                return
            self.lines.append(line)
            if not line or line.startswith(b"i "):
                return

    def saw(self, pattern):
        return wait_until(lambda: any(re.search(pattern, line) for line in list(self.lines)),
                          what=f"{pattern} in IDLE, which got {self.lines}")

    def done(self):
        self.wire.send("DONE\r\n")
        self.thread.join(ANSWER_S)
        check(self.lines and self.lines[-1].startswith(b"i OK"), f"DONE: {self.lines[-1:]}")
        self.wire.imap("LOGOUT")
        self.wire.close()


@scenario()
def python_imap_idle(server):
    """Sessions of all processes see each other's changes at once."""
    user = server.user("idle")
    server.deliver(user, message("first"))
    idlers = [Idler(server, user) for _ in range(6)]
    started = time.monotonic()
    server.deliver(user, message("second"))
    for idler in idlers:
        idler.saw(rb"^\* 2 EXISTS")
    check(time.monotonic() - started < 10, "the news of a mail took longer than 10 s")
    client = server.imap(user)
    client.select("INBOX")
    client.store("2", "+FLAGS", "(\\Flagged)")
    for idler in idlers:
        idler.saw(rb"^\* 2 FETCH .*\\Flagged")
    client.append("INBOX", None, None, message("third"))
    for idler in idlers:
        idler.saw(rb"^\* 3 EXISTS")
    client.store("1", "+FLAGS", "(\\Deleted)")
    client.expunge()
    for idler in idlers:
        idler.saw(rb"^\* 1 EXPUNGE")
        idler.done()
    client.logout()


@scenario()
def python_imap_two_sessions(server):
    """Numbers never shift under a command that counts by them: RFC 3501 7.4.1."""
    user = server.user("two")
    one, two = server.imap(user), server.imap(user)
    for n in range(6):
        one.append("INBOX", None, None, message(f"mail {n}"))
    one.select("INBOX")
    two.select("INBOX")
    two.store("2", "+FLAGS", "(\\Deleted)")
    two.expunge()
    rows = ok(one.fetch("3", "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])"), "FETCH by number")
    check(b"UID 3" in rows[0][0] and b"mail 2" in rows[0][1], f"number 3 shifted: {rows}")
    equal(one.response("EXPUNGE")[1], [None], "an EXPUNGE during FETCH")
    ok(one.noop(), "NOOP")
    equal(one.response("EXPUNGE")[1], [b"2"], "the EXPUNGE after NOOP")
    rows = ok(one.fetch("3", "(UID)"), "FETCH")
    check(b"UID 4" in rows[0], f"after the EXPUNGE: {rows}")
    ok(two.append("INBOX", None, None, message("late")), "APPEND")
    ok(one.noop(), "NOOP")
    equal(one.response("EXISTS")[1][-1], b"6", "EXISTS")
    ok(two.create("other"), "CREATE")
    ok(two.select("other"), "SELECT")
    one.logout()
    two.logout()


@scenario()
def python_big_mail_by_imap(server):
    """Octet by octet the same, by APPEND and back, with literals of either kind."""
    user = server.user("big")
    octets = big_mail(9_000_000, user.address, user.address).as_bytes()
    client = server.imap(user)
    ok(client.append("INBOX", None, None, octets), "APPEND")
    client.logout()
    with server.wire("imaps") as w:
        w.expect("* OK")
        w.imap(f"LOGIN {user.address} {user.password}")
        w.send(b"p APPEND INBOX (\\Seen) {%d+}\r\n" % len(octets) + octets + b"\r\n")
        w.until("p OK")
        w.imap("LOGOUT")
    got = server.fetch(user)
    equal(sorted(got), [1, 2], "UIDs")
    check(all(m == octets for m in got.values()), "the octets differ")
    parsed = email.message_from_bytes(got[2], policy=email.policy.default)
    equal(next(parsed.iter_attachments()).get_filename(), "größe.bin", "the attachment's name")
    client = server.imap(user)
    client.select("INBOX", readonly=True)
    rows = ok(client.fetch("1", "(BODYSTRUCTURE BODY.PEEK[2]<1000000.1000>)"), "FETCH")
    part = octets.split(b"\r\n\r\n", 4)[4]
    equal(rows[0][1], part[1000000:1001000], "a piece of the attachment")
    client.logout()


@scenario()
def ipv6(server):
    if not has_ipv6():
        return
    user = server.user("six")
    with server.wire("smtp", host="::1") as w:
        w.smtp(None, 220)
        w.smtp("EHLO mx.elsewhere.example", 250)
        w.smtp("MAIL FROM:<a@elsewhere.example>", 250)
        w.smtp(f"RCPT TO:<{user.address}>", 250)
        w.smtp("DATA", 354)
        w.smtp(message("six") + b".", 250)
    with server.wire("imaps", host="::1") as w:
        w.expect("* OK")
        w.imap(f"LOGIN {user.address} {user.password}")
        check(b"* 1 EXISTS" in w.imap("SELECT INBOX"), "nothing arrived")
    check(b"[IPv6:::1]" in next(iter(server.fetch(user).values())), "no IPv6 literal in Received")


@scenario()
def lmtp(server):
    """A program of this machine delivers: an answer for each recipient. RFC 2033 4.2."""
    one, full = server.user("lmtp"), User("tiny@example.test", "Secret-12345")
    server.order("user", "add", "--password-stdin", "--quota=1K", full.address,
                 stdin=full.password + "\n")
    with Wire(server.access["lmtp"], None, ANSWER_S, None) as w:
        w.smtp(None, 220)
        w.smtp("EHLO here", 5)
        check("AUTH" not in w.smtp("LHLO here", 250), "AUTH by LMTP")
        w.smtp("MAIL FROM:<a@elsewhere.example>", 250)
        w.smtp(f"RCPT TO:<{one.address}>", 250)
        w.smtp("RCPT TO:<nobody@example.test>", 550)
        w.smtp("RCPT TO:<victim@far.example>", 550)
        w.smtp(f"RCPT TO:<{full.address}>", 250)
        w.smtp("DATA", 354)
        w.send(message("by lmtp", "x" * 2000 + "\r\n") + b".\r\n")
        w.smtp(None, 250)
        check("2.2" in w.smtp(None, ""), "no word of the quota")
        w.smtp("QUIT", 221)
    equal(server.subjects(one), ["by lmtp"], "arrived")
    equal(server.subjects(full), [], "arrived over the quota")


def node(server, script, *users):
    prepared(HERE)
    access = {"certificate": server.cert, "users": [user._asdict() for user in users],
              "port": {name: server.port(name) for name in
                       ("smtp", "submission", "submissions", "imap", "imaps")}}
    program("node", str(HERE / script), stdin=json.dumps(access).encode(), cwd=HERE)


@scenario(150)
def node_imapflow(server):
    user = server.user("flow")
    node(server, "imapflow.mjs", user)


@scenario(150)
def node_nodemailer(server):
    user, friend = server.user("nodemailer"), server.user("friend")
    node(server, "nodemailer.mjs", user, friend)
    equal(server.subjects(friend), ["mx", "starttls 0", "starttls 1", "starttls 2", "tls"],
          "arrived")
    mail = next(m for m in server.fetch(friend).values() if subject_of(m) == "tls")
    parsed = email.message_from_bytes(mail, policy=email.policy.default)
    files = list(parsed.iter_attachments())
    equal([f.get_filename() for f in files], ["größe.bin", "note.txt"], "attachments")
    equal(files[0].get_content(), bytes(n % 251 for n in range(1_000_000)), "the attachment")
