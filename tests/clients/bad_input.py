#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What no client should send: each gets a clear answer, the processes live, others are served.

    tests/clients/bad_input.py [WORD...]     only these; tests/clients/run has them among all
"""
import functools
import pathlib
import random
import socket
import ssl
import sys
import threading
import time

if __name__ == "__main__":
    sys.dont_write_bytecode = True
import harness
from harness import PROGRAM, check, equal, message, wait_until

SANITIZED = b"__asan_init" in pathlib.Path(PROGRAM).read_bytes() \
    if pathlib.Path(PROGRAM).exists() else False


def scenario(seconds=60):
    """A scenario after which the same processes live and a normal client does its job."""
    def mark(function):
        @functools.wraps(function)
        def with_care(server):
            before = server.pids()
            function(server)
            at_ease(server)
            equal(server.pids(), before, "the processes before and after")
            equal(server.events("child.ended"), [], "processes that ended")
        return harness.scenario(seconds)(with_care)
    return mark


def at_ease(server, seconds=20):
    """A normal client sends and fetches, soon."""
    started = time.monotonic()
    server.deliver(server.demo2, message("all is well"))
    check("all is well" in server.subjects(server.demo2), "a normal mail did not arrive")
    client = server.imap(server.demo2)
    client.select("INBOX")
    client.store("1:*", "+FLAGS.SILENT", "\\Deleted")
    client.expunge()
    client.logout()
    check(time.monotonic() - started < seconds, f"a normal client waited {seconds} s")


def mx(server, *commands):
    """Port 25 behind EHLO; each command must be accepted."""
    w = server.wire("smtp")
    w.smtp(None, 220)
    w.smtp("EHLO mx.elsewhere.example", 250)
    for command in commands:
        w.smtp(command, 2)
    return w


def data(server, user):
    """Port 25 up to 354."""
    w = mx(server, "MAIL FROM:<a@elsewhere.example>", f"RCPT TO:<{user.address}>")
    w.smtp("DATA", 354)
    return w


def logged_in(server, user, select="INBOX"):
    w = server.wire("imaps")
    w.expect("* OK")
    w.imap(f"LOGIN {user.address} {user.password}")
    if select:
        w.imap(f"SELECT {select}")
    return w


def popped(server, user):
    w = server.wire("pop3s")
    w.expect("+OK")
    for line in (f"USER {user.address}", f"PASS {user.password}"):
        w.send(line + "\r\n")
        w.expect("+OK")
    return w


def gone_or(w, starts, what):
    """One of these answers, or the end of the connection."""
    try:
        line = w.line()
    except (ConnectionError, ssl.SSLError):
        line = b""
    check(line == b"" or line.startswith(tuple(s.encode() for s in starts)), f"{what}: {line!r:.200}")
    return line


# --- SMTP ---

@scenario()
def smtp_long_lines(server):
    user = server.user("long")
    with mx(server) as w:
        w.smtp("NOOP " + "x" * 10_000, 500)
        w.smtp("MAIL FROM:<" + "a" * 10_000 + "@elsewhere.example>", 500)
        w.smtp("X" * 1_000_000, 500)
        w.smtp("NOOP", 250)
    with mx(server) as w:  # ten megabytes that never end
        try:
            for _ in range(160):
                w.send(b"y" * 65536)
            w.send("\r\n")
            gone_or(w, ["500", "421"], "a line of 10 MB")
        except (ConnectionError, TimeoutError):
            pass
    octets = message("long", "z" * 1_000_000 + "\r\n")
    with data(server, user) as w:
        text = w.smtp(octets + b".", "")
        check(text[0] in "25", f"a mail with a line of 1 MB: {text}")
        taken = text.startswith("250")
    equal([m[-len(octets):] for m in server.fetch(user).values()], [octets] * taken, "the mail")


@scenario()
def smtp_nul_and_control(server):
    user = server.user("nul")
    with mx(server) as w:
        w.smtp(b"NO\0OP", 500)
        w.smtp(b"MAIL FROM:<a\0b@elsewhere.example>", 5)
        w.smtp(b"MAIL FROM:<a\x01b@elsewhere.example>", 5)
        w.smtp(b"\xff\xfe\xfd", 500)
        w.smtp(b"MAIL FROM:<\xff\xfe@elsewhere.example> SMTPUTF8", 5)
        w.smtp(b"", 500)
    with data(server, user) as w:
        octets = message("nul", b"a\0b\r\n")
        text = w.smtp(octets + b".", "")
        check(text[:3] in ("250", "554"), f"NUL in a mail: {text}")
        w.smtp("NOOP", 250)
    # IMAP has no way to tell a NUL: RFC 3501 9 "CHAR8".
    equal([m[-len(octets):] for m in server.fetch(user).values()],
          [octets.replace(b"\0", b"\x80")] * text.startswith("250"), "the mail")


@scenario()
def smtp_smuggling(server):
    """Only CRLF.CRLF ends a mail: nothing within it becomes a second one."""
    user = server.user("smuggled")
    inner = (b"MAIL FROM:<evil@elsewhere.example>\r\nRCPT TO:<" + user.address.encode() +
             b">\r\nDATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n.\r\n")
    ends = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r",
            b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\r\n.\r\r\n", b"\r\n. \r\n", b"\r\n.\r\0\n"]
    for n, end in enumerate(ends):
        with data(server, user) as w:
            w.send(message(f"carrier {n}", b"text" + end + inner + b"more\r\n.\r\nNOOP\r\n"))
            # One mail and what stands behind the first true end, no more: the inner one's
            # envelope must be text of the outer mail.
            first = w.line().decode()
            check(first[:3] in ("250", "554"), f"{end!r}: {first}")
            w.send("QUIT\r\n")
            rest = w.until("221")
            check(not any(b"recipient accepted" in line or line.startswith(b"354")
                          for line in rest), f"{end!r} was an end of the mail: {rest}")
    for octets in server.fetch(user).values():
        check(b"Subject: carrier" in octets.split(b"\r\n\r\n")[0], f"smuggled in: {octets!r:.300}")


@scenario()
def smtp_out_of_order(server):
    user = server.user("order")
    with server.wire("smtp") as w:
        w.smtp(None, 220)
        for command in ("MAIL FROM:<a@elsewhere.example>", f"RCPT TO:<{user.address}>", "DATA"):
            w.smtp(command, 503)
        w.smtp("EHLO", 501)
        w.smtp("EHLO mx.elsewhere.example", 250)
        w.smtp("DATA", 503)
        w.smtp(f"RCPT TO:<{user.address}>", 503)
        w.smtp("MAIL FROM:<a@elsewhere.example>", 250)
        w.smtp("MAIL FROM:<b@elsewhere.example>", 503)
        w.smtp("DATA", 503)
        w.smtp("STARTTLS", 503)
        w.smtp(f"RCPT TO:<{user.address}> NONSENSE=1", 555)
        w.smtp("RCPT TO:<no closing", 501)
        w.smtp("RSET", 250)
        w.smtp("STARTTLS now", 501)
        w.send("BDAT 5 LAST\r\nhello")
        w.smtp(None, 503)
        w.smtp("BDAT 99999999999999999999999 LAST", 421)
        check(w.closed(), "open")
    with server.wire("submissions") as w:
        w.smtp(None, 220)
        w.smtp("EHLO client.example", 250)
        w.smtp("MAIL FROM:<a@example.test>", 530)
        w.smtp("AUTH", 501)
        w.smtp("AUTH CRAM-MD5", 504)
        w.smtp("AUTH PLAIN !!!!", 501)
        w.smtp("AUTH PLAIN", 334)
        w.smtp("*", 501)
        w.smtp("AUTH LOGIN", 334)
        w.smtp("x" * 20000, 500)
        w.smtp("AUTH LOGIN", 334)
        w.smtp("=", "")
        w.smtp("STARTTLS", 503)
    with server.wire("smtp") as w:  # who errs for ever must go
        w.smtp(None, 220)
        for _ in range(200):
            w.send("NONSENSE\r\n")
            line = w.line()
            if line.startswith(b"421"):
                break
        check(line.startswith(b"421") and w.closed(), "mistakes without end are borne")
    with server.wire("smtp") as w:  # a browser
        w.smtp(None, 220)
        w.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        w.expect("421")
        check(w.closed(), "open for a browser")


@scenario()
def injection_before_tls(server):
    """What was sent in clear behind STARTTLS is not carried out under TLS: RFC 3207 4.2."""
    user = server.user("inject")
    with server.wire("smtp") as w:
        w.smtp(None, 220)
        w.smtp("EHLO mx.elsewhere.example", 250)
        w.send("STARTTLS\r\nHELP\r\nVRFY x\r\n")
        w.expect("220")
        w.left = b""
        w.start_tls()
        w.smtp("NOOP", 250)
        w.smtp("MAIL FROM:<a@elsewhere.example>", 503)  # EHLO is forgotten too
    with server.wire("imap") as w:
        w.expect("* OK")
        w.send("a STARTTLS\r\nb CAPABILITY\r\n")
        w.expect("a OK")
        w.left = b""
        w.start_tls()
        w.send("c NOOP\r\n")
        w.expect("c OK")
    with server.wire("pop3") as w:
        w.expect("+OK")
        w.send(f"USER {user.address}\r\nSTLS\r\nCAPA\r\n")
        w.expect("-ERR")
        w.expect("+OK")
        w.left = b""
        w.start_tls()
        w.send(f"PASS {user.password}\r\n")  # USER is forgotten
        w.expect("-ERR")


@scenario(120)
def smtp_100000_recipients(server):
    one, two = server.user("many"), server.user("many")
    with mx(server, "MAIL FROM:<a@elsewhere.example>") as w:
        def send():
            for n in range(0, 100_000, 1000):
                w.send("".join(f"RCPT TO:<{(one, two)[i % 2].address}>\r\n"
                               for i in range(n, n + 1000)))
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        codes = {}
        for _ in range(100_000):
            code = w.line()[:9]
            codes[code] = codes.get(code, 0) + 1
        sender.join()
        equal(codes, {b"250 2.1.5": 1000, b"452 4.5.3": 99_000}, "answers")
        w.smtp("DATA", 354)
        w.smtp(message("to many") + b".", 250)
    equal(server.subjects(one), ["to many"], "copies")
    equal(server.subjects(two), ["to many"], "copies")
    with mx(server, "MAIL FROM:<a@elsewhere.example>") as w:  # and a guesser of names
        for n in range(0, 2000, 100):
            w.send("".join(f"RCPT TO:<guess{i}@example.test>\r\n" for i in range(n, n + 100)))
            for _ in range(100):
                w.expect("550")
        w.smtp("QUIT", 221)


@scenario()
def smtp_too_large(server):
    user = server.user("large")
    with mx(server) as w:
        w.smtp("MAIL FROM:<a@elsewhere.example> SIZE=99999999999", 552)
        w.smtp("MAIL FROM:<a@elsewhere.example> SIZE=99999999999999999999999999", 5)
        w.smtp("MAIL FROM:<a@elsewhere.example> SIZE=-1", 5)
    with data(server, user) as w:  # 60 MB, which its MAIL kept to itself
        piece = b"x" * 76 + b"\r\n"
        for _ in range(60):
            w.send(piece * (1_000_000 // len(piece)))
        w.smtp(b"\r\n.", 552)
        w.smtp("NOOP", 250)
    equal(server.subjects(user), [], "arrived")


@scenario()
def cut_connections(server):
    """Cut inside DATA, BDAT, APPEND, IDLE and the handshake: nothing is delivered by halves."""
    user = server.user("cut")
    half = message("half", "text\r\n" * 1000)
    for _ in range(5):
        w = data(server, user)
        w.send(half)
        w.cut()
        w = data(server, user)
        w.send(half + b".\r")
        w.cut()
        w = mx(server, "MAIL FROM:<a@elsewhere.example>", f"RCPT TO:<{user.address}>")
        w.send(b"BDAT 9000 LAST\r\n" + half[:8000])
        w.cut()
        w = logged_in(server, user)
        w.send(b"a APPEND INBOX {%d}\r\n" % (len(half) + 10))
        w.expect("+")
        w.send(half)
        w.cut()
        w = logged_in(server, user)
        w.send(b"a APPEND INBOX {%d+}\r\n" % (len(half) + 10) + half)
        w.cut()
        w = logged_in(server, user)
        w.send("a IDLE\r\n")
        w.expect("+")
        w.cut()
        w = logged_in(server, user)
        w.send("a SEARCH TEXT {100}\r\n")
        w.cut()
        w = server.wire("imaps", tls=False)
        w.send(b"\x16\x03\x01\x02\x00\x01")
        w.cut()
        w = server.wire("submission")
        w.smtp(None, 220)
        w.smtp("EHLO client.example", 250)
        w.send("STARTTLS\r\n")
        w.cut()
        w = popped(server, user)
        w.send("DELE 1\r\n")
        w.cut()
    equal(server.subjects(user), [], "arrived")


# --- slow and silent clients ---

@scenario()
def slow_clients(server):
    """One octet a second, on every port; the others do not wait for them."""
    user = server.user("slow")
    text = {"smtp": b"EHLO mx.elsewhere.example\r\n", "submission": b"EHLO client.example\r\n",
            "imap": b"a1 CAPABILITY\r\n", "pop3": b"CAPA\r\n"}
    slow = []
    for name in list(text) * 5:
        w = server.wire(name)
        w.line()
        slow.append((w, text[name]))
    for _ in range(10):
        w = data(server, user)
        slow.append((w, message("slow")))
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    for name in ("imaps", "pop3s", "submissions") * 5:
        slow.append((server.wire(name, tls=False), hello))
    for n in range(5):
        for w, octets in slow:
            w.send(octets[n:n + 1])
        started = time.monotonic()
        at_ease(server)
        time.sleep(max(0, started + 1 - time.monotonic()))
    for w, octets in slow:  # those who are slow are served as well
        if octets in text.values():
            w.send(octets[5:])
            check(w.line().startswith((b"250", b"* CAP", b"+OK")), "a slow client was dropped")
        w.cut()
    equal(server.subjects(user), [], "arrived")


def resident(server):
    """KiB of the largest process."""
    return max(int(line.split()[1]) for pid in server.pids().values()
               for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
               if line.startswith("VmRSS"))


@scenario(90)
def clients_that_do_not_read(server):
    user = server.user("deaf")
    server.deliver(user, message("big", ("x" * 70 + "\r\n") * 140_000))
    before = resident(server)
    deaf = []
    for _ in range(6):
        w = logged_in(server, user)
        w.send("".join(f"f{n} FETCH 1 BODY.PEEK[]\r\n" for n in range(50)))
        deaf.append(w)
    for _ in range(3):
        w = popped(server, user)
        w.send("RETR 1\r\n" * 50)
        deaf.append(w)
    for _ in range(3):  # sends commands until nothing is taken any more
        w = mx(server)
        w.socket.settimeout(1)
        try:
            for _ in range(400):
                w.send("HELP\r\n" * 5000)
        except TimeoutError:
            pass
        deaf.append(w)
    for _ in range(5):
        at_ease(server)
    grown = resident(server) - before
    check(SANITIZED or grown < 64 * 1024, f"a process has grown by {grown} KiB")
    for w in deaf:
        w.cut()


# --- IMAP ---

@scenario()
def imap_lines_and_literals(server):
    user = server.user("lines")
    with server.wire("imaps") as w:  # a guest may less than a user
        w.expect("* OK")
        w.send(b"a LOGIN {100000}\r\n")
        w.expect("a ")
        w.send(b"b NOOP " + b"x" * 20000 + b"\r\n")
        gone_or(w, ["b BAD", "* BYE"], "a long line of a guest")
    with logged_in(server, user) as w:
        w.imap("SELECT {4000000000}", "BAD")
        w.imap("SELECT {99999999999999999999999999}", "BAD")
        w.imap("APPEND INBOX {99999999999}", "NO")
        w.send("d APPEND INBOX (\\Seen) \"no date\" {10}\r\n")
        if w.line().startswith(b"+"):
            w.send("0123456789\r\n")
            w.expect("d BAD")
        w.imap("APPEND INBOX {0}", "NO")
        w.imap("APPEND INBOX {-5}", "BAD")
        w.imap("APPEND INBOX {5", "BAD")
        w.send(b"n APPEND INBOX {10+}\r\nab\0cdefghi\r\n")
        w.expect("n NO")
        w.send(b"m SEARCH SUBJECT {3+}\r\na\0b\r\n")
        w.expect("m BAD")
        w.imap("NOOP")
    with logged_in(server, user) as w:  # too large, and sent without asking
        w.send(b"l SELECT {3000000+}\r\n" + b"x" * 3_000_000 + b"\r\n")
        gone_or(w, ["l NO", "l BAD", "* BYE"], "3 MB as a mailbox name")
    with logged_in(server, user) as w:
        w.send(b"l APPEND INBOX {60000000+}\r\n")
        for _ in range(60):
            w.send(b"y" * 1_000_000)
        w.send("\r\n")
        w.expect("l NO [TOOBIG]")
        w.imap("NOOP")
    with logged_in(server, user) as w:
        w.send(b"l NOOP " + b"x" * 1_000_000 + b"\r\n")
        gone_or(w, ["l BAD", "* BYE"], "a line of 1 MB")
    with logged_in(server, user) as w:  # an endless row of literals
        try:
            w.send(b"l SEARCH" + b" SUBJECT {1+}\r\nx" * 20_000 + b"\r\n")
            gone_or(w, ["l BAD", "l NO", "l OK", "* BYE", "* SEARCH"], "20,000 literals")
        except OSError:  # gone while it was sent; TLS has an error of its own for that
            pass
    equal(server.subjects(user), [], "appended")


@scenario()
def imap_nonsense(server):
    user = server.user("nonsense")
    with server.wire("imaps") as w:
        w.expect("* OK")
        for command in ("SELECT INBOX", "FETCH 1 FLAGS", "IDLE", "LOGIN", "LOGIN a", "NONSENSE",
                        "UID", "UID NOOP", "AUTHENTICATE", "AUTHENTICATE PLAIN !!!", "STARTTLS"):
            w.imap(command, "BAD")
        w.send("\r\n")
        w.expect("* BAD")
        w.send(b"\0\0\0\r\n")
        w.expect("* BAD")
    server.deliver(user, message("one"))
    with logged_in(server, user) as w:
        for command in ("FETCH", "FETCH 0 FLAGS", "FETCH 1", "FETCH 1 NONSENSE", "FETCH a FLAGS",
                        "FETCH 1 BODY[", "FETCH 1 BODY[1.2.3.4.x]", "FETCH 1 BODY[]<0.0>",
                        "FETCH 99999999999 FLAGS", "FETCH 1 (" + "(" * 1000,
                        "STORE 1 FLAGS", "STORE 1 +FLAGS (\\Recent", "STORE 1 -FLAGS \\Nonsense)",
                        "SEARCH", "SEARCH NONSENSE", "SEARCH ((", "SEARCH NOT",
                        "SEARCH OR SEEN", "SEARCH SINCE 99-Foo-2020", "COPY 1", "LIST",
                        "LIST \"\"", "LIST (NONSENSE) \"\" *", "STATUS INBOX", "STATUS INBOX ()",
                        "STATUS INBOX (NONSENSE)", "RENAME a", "EXPUNGE 1", "LOGIN a b", "STARTTLS",
                        "SELECT \"unclosed", "SELECT a b c", b"SELECT \"a\0b\"",
                        b"SELECT \xff\xfe", "ENABLE", "CREATE"):
            w.imap(command, "BAD")
        w.imap("SEARCH CHARSET NONSENSE TEXT x", "NO")
        w.imap("SEARCH " + "(" * 5000, "")
        w.imap("SEARCH " + "NOT " * 9000 + "SEEN", "")
        w.imap("SEARCH " + "OR SEEN " * 5000 + "SEEN", "")
        w.imap("SEARCH " + "(" * 5000 + "SEEN" + ")" * 5000, "")
        w.imap("UID FETCH " + ",".join(str(n) for n in range(1, 9000)) + " UID")
        w.imap("FETCH 1 (" + "BODY.PEEK[HEADER] " * 2000 + "UID)", "")
        w.imap("FETCH 1 BODY.PEEK[" + "1." * 5000 + "1]", "")
        w.imap("LIST \"\" " + "*%" * 3000, "")
        w.imap("LIST \"\" \"" + "%/" * 3000 + "\"", "")
        rows = w.imap("FETCH 1 (UID)")
        equal(rows[0], b"* 1 FETCH (UID 1)", "after all that")
    with server.wire("imaps") as w:  # who errs for ever must go
        w.expect("* OK")
        for n in range(1000):
            w.send(f"n{n} NONSENSE\r\n")
            if b"BYE" in w.line():
                break
        else:
            check(False, "mistakes without end are borne")
        check(w.closed(), "open")


@scenario()
def imap_mailbox_names(server):
    user = server.user("names")
    with logged_in(server, user, None) as w:
        for name in ("x" * 4000, "/", "//", "a//b", "/a", "a/" * 500 + "a", "&", "&-&", "&Jjo",
                     "&Jjo!", "&AGE-", "&2D8-", "&////-", "*", "a%b", "a*b"):
            w.imap(f'CREATE "{name}"', "NO")
            w.imap(f'SELECT "{name}"', "NO")
            w.imap(f'DELETE "{name}"', "NO")
            w.imap(f'STATUS "{name}" (MESSAGES)', "NO")
            w.imap(f'RENAME "{name}" fine', "NO")
        w.send(b"l CREATE {4000+}\r\n" + b"y" * 4000 + b"\r\n")
        w.expect("l NO")
        for name in (b"\"a\x01b\"", b"\"a\tb\"", b"\"\x7f\"", b"\"a\xc3\"", b"\"\""):
            for command in (b"CREATE ", b"SELECT ", b"SUBSCRIBE "):
                last = w.imap(command + name, "")[-1]
                check(last[2:].startswith((b"NO", b"BAD")), f"{name!r}: {last}")
        w.imap("CREATE inbox", "NO")
        w.imap("DELETE InBoX", "NO")
        w.imap("CREATE ../../etc/passwd")  # a name like any other: nothing of it is a path
        w.imap("RENAME ../../etc/passwd ../../tmp/tecsmail-no-file")
        w.imap("CREATE a/")
        w.imap("CREATE a/b/c")
        w.imap("RENAME a a/b/d", "NO")
        w.imap("APPEND nowhere {5}", "NO")
        listing = b"\n".join(w.imap('LIST "" *'))
        for name in (b'"/" INBOX', b'"/" a/b/c', b'"/" ../../tmp/tecsmail-no-file'):
            check(name in listing.replace(b'"/" "', b'"/" ').replace(b'"\n', b"\n"),
                  f"no {name} in {listing!r}")
    check(not pathlib.Path("/tmp/tecsmail-no-file").exists(), "a mailbox became a file")


@scenario(90)
def monstrous_mails(server):
    """Deep nesting, many parts, great headers: taken or refused, and then served like any mail."""
    user = server.user("monster")
    depth = 10_000
    multipart = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"
                        for n in range(depth))
    rfc822 = "Content-Type: message/rfc822\r\n\r\n" * depth
    parts = "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + "--b\r\n\r\nx\r\n" * 100_000
    bound = "Content-Type: multipart/mixed; boundary=" + "b" * 5000 + "\r\n\r\n--" + "b" * 5000
    head = "Subject: monster\r\nFrom: a@elsewhere.example\r\n"
    monsters = {
        "multipart": head + multipart + "end\r\n",
        "rfc822": head + rfc822 + "end\r\n",
        "parts": head + parts + "--b--\r\n",
        "boundary": head + bound + "\r\n\r\nx\r\n",
        "10 MB in a field": head + "X-Long: " + "y" * 10_000_000 + "\r\n\r\nx\r\n",
        "10 MB folded": head + "X-Long: y\r\n" + (" " + "z" * 76 + "\r\n") * 130_000 + "\r\nx\r\n",
        "100,000 fields": head + "X-F: 12345678901234567890123456789012\r\n" * 100_000 + "\r\nx\r\n",
        "10 MB of addresses": head + "To: " + "a@b.example,\r\n " * 700_000 + "c@d.example\r\n\r\nx\r\n",
        "comments": head + "To: " + "(" * 100_000 + "\r\n\r\nx\r\n",
        "groups": head + "To: " + "g:" * 100_000 + ";\r\n\r\nx\r\n",
        "encoded words": head + "Subject: " + "=?utf-8?q?=41?= " * 100_000 + "\r\n\r\nx\r\n",
        "parameters": head + "Content-Type: text/plain" +
        "".join(f";\r\n name*{n}*=%41" for n in range(50_000)) + "\r\n\r\nx\r\n",
        "references": head + "References:" + " <a@b.example>" * 200_000 + "\r\n\r\nx\r\n",
        "no header": "\r\nx\r\n",
        "nothing": "",
    }
    taken = []
    for name, text in monsters.items():
        with data(server, user) as w:
            reply = w.smtp(text.encode() + b".", "")
            check(reply[:3] in ("250", "552", "554"), f"{name}: {reply}")
            if reply.startswith("250"):
                taken.append(text.encode())
    check(len(taken) >= 5, f"only {len(taken)} monsters were taken")
    client = server.imap(user)
    for number, text in enumerate(taken, 1):
        client.select("INBOX", readonly=True)
        status, rows = client.fetch(str(number), "(UID RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE)")
        check(status == "OK" and rows[0], f"ENVELOPE of number {number}: {rows!r:.300}")
        status, rows = client.fetch(str(number), "(BODY.PEEK[])")
        check(status == "OK" and rows[0][1].endswith(text), f"octets of number {number}")
        for part in ("HEADER", "HEADER.FIELDS (SUBJECT)", "1", "1.MIME", "1.1.1.1.1.1", "TEXT"):
            status, rows = client.fetch(str(number), f"(BODY.PEEK[{part}]<0.100>)")
            equal(status, "OK", f"BODY[{part}] of number {number}")
    for key in (("TEXT", "nowhere"), ("HEADER", "X-Long", "nowhere"), ("SUBJECT", "monster"),
                ("BODY", "end"), ("TO", "nobody"), ("SENTSINCE", "1-Jan-2020")):
        equal(client.search(None, *key)[0], "OK", f"SEARCH {key}")
    client.logout()
    with popped(server, user) as w:
        for n in range(1, len(taken) + 1):
            w.send(f"TOP {n} 1\r\n")
            w.until("+OK")
            w.until(".", 10_000_000)


# --- POP3 ---

@scenario()
def pop3_nonsense(server):
    user = server.user("pop")
    server.deliver(user, message("one"))
    server.deliver(user, message("two"))
    with server.wire("pop3s") as w:
        w.expect("+OK")
        for command in ("STAT", "RETR 1", "PASS x", "USER", "NONSENSE", "AUTH NONSENSE", "STLS",
                        "AUTH PLAIN !!!"):
            w.send(command + "\r\n")
            w.expect("-ERR")
    with popped(server, user) as w:
        for command in (b"RETR", b"RETR 0", b"RETR 3", b"RETR 99999999999999999999", b"RETR -1",
                        b"RETR 1 2", b"TOP 1", b"TOP 1 -1", b"LIST x", b"DELE 3", b"USER x",
                        b"NO\0OP", b"x" * 100_000, b"\xff\xfe"):
            w.send(command + b"\r\n")
            w.expect("-ERR")
        w.send("DELE 1\r\nDELE 1\r\nRETR 1\r\n")
        for start in ("+OK", "-ERR", "-ERR"):
            w.expect(start)
        w.send("QUIT\r\n")
        w.expect("+OK")
    equal(server.subjects(user), ["two"], "after QUIT")
    with server.wire("pop3s") as w:
        w.expect("+OK")
        for _ in range(1000):
            w.send("NONSENSE\r\n")
            line = w.line()
            if b"too many" in line or not line:
                break
        else:
            check(False, "mistakes without end are borne")
        check(w.closed(), "open")


# --- TLS ---

@scenario()
def tls_garbage(server):
    chance = random.Random(20260302)
    garbage = [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"EHLO x\r\n", b"a1 NOOP\r\n", b"\0" * 1000,
               b"\x16\x03\x01\xff\xff" + b"\0" * 70_000, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01",
               b"\x80\x2e\x01\x00\x02", b"\x15\x03\x01\x00\x02\x02\x28", b"\x16\x03\x00"]
    garbage += [chance.randbytes(chance.randrange(1, 3000)) for _ in range(20)]
    garbage += [b"\x16\x03\x01" + chance.randbytes(200) for _ in range(10)]
    for name in ("imaps", "pop3s", "submissions"):
        for octets in garbage:
            w = server.wire(name, tls=False, timeout=1)
            try:
                w.send(octets)
                w.socket.shutdown(socket.SHUT_WR)
                w.closed()
            except (OSError, TimeoutError):
                pass
            w.cut()
    for name, ask, answer in (("imap", "a STARTTLS", "a OK"), ("pop3", "STLS", "+OK"),
                              ("smtp", "STARTTLS", "220"), ("submission", "STARTTLS", "220")):
        for octets in garbage:
            w = server.wire(name, timeout=2)
            w.line()
            if "s" in name and name != "pop3":
                w.smtp("EHLO client.example", 250)
            w.send(ask + "\r\n")
            w.expect(answer)
            try:
                w.send(octets)
                w.socket.shutdown(socket.SHUT_WR)
                w.closed()
            except (OSError, TimeoutError):
                pass
            w.cut()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # TLS 1.1 is not spoken: RFC 8996
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    try:
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", server.port("imaps")), 5) as plain:
            context.wrap_socket(plain)
        check(False, "TLS 1.1 was spoken")
    except (ssl.SSLError, ConnectionError, ValueError):
        pass


@scenario(90)
def random_octets(server):
    """Noise on every port, in clear and under TLS, with commands strewn in."""
    chance = random.Random(4711)
    words = [b"EHLO x\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<demo1@example.test>\r\n",
             b"DATA\r\n", b"BDAT 10 LAST\r\n", b"a LOGIN {5+}\r\n", b"a SELECT INBOX\r\n",
             b"USER x\r\n", b"AUTH PLAIN ", b"{10}\r\n", b"\r\n.\r\n", b"\r\n", b"(", b"\"", b"<"]
    for name in harness.MAIL:
        for _ in range(25):
            octets = b"".join(chance.choice(words) if chance.random() < 0.6 else
                              chance.randbytes(chance.randrange(1, 200)) for _ in range(30))
            w = server.wire(name, timeout=1)
            try:
                w.send(octets)
                w.socket.settimeout(0.05)
                w.closed()
            except (OSError, TimeoutError):
                pass
            w.cut()


if __name__ == "__main__":
    sys.exit(harness.run(sys.argv[1:], 300))
