# SPDX-License-Identifier: ISC
"""The life of the service, invitations and the states of accounts, as users meet them."""
import datetime
import json
import re
import smtplib
import socket
import urllib.parse

from harness import Server, User, check, equal, message, scenario, wait_until

NOT_NOW = (450, "4.3.2")


def day(offset):
    return (datetime.date.today() + datetime.timedelta(days=offset)).isoformat()


def german(iso):
    return ".".join(reversed(iso.split("-")))


# --- what each protocol says to a login ---

def imap_login(server, user):
    wire = server.wire("imaps")
    wire.expect("* OK")
    wire.send(f'a LOGIN {user.address} "{user.password}"\r\n')
    return [line.decode("ascii") for line in wire.until("a ")]


def pop3_login(server, user):
    wire = server.wire("pop3s")
    wire.expect("+OK")
    wire.send(f"USER {user.address}\r\n")
    wire.expect("+OK")
    wire.send(f"PASS {user.password}\r\n")
    return wire.line().decode("ascii")


def smtp_login(server, user):
    client = smtplib.SMTP_SSL("localhost", server.port("submissions"), "client.example",
                              timeout=30, context=server.context())
    client.ehlo()
    try:
        client.login(*user)
        return "235", client
    except smtplib.SMTPAuthenticationError as no:
        return f"{no.smtp_code} {no.smtp_error.decode('ascii')}", client


def comes_in(server, user):
    check(imap_login(server, user)[-1].startswith("a OK"), "IMAP")
    check(pop3_login(server, user).startswith("+OK"), "POP3")
    equal(smtp_login(server, user)[0], "235", "submission")


def is_refused(server, user, sentence):
    """In each protocol with this sentence, however often: the password is right."""
    for _ in range(6):
        equal(imap_login(server, user), [f"a NO [CONTACTADMIN] {sentence}"], "IMAP")
    equal(pop3_login(server, user), f"-ERR [SYS/PERM] {sentence}", "POP3")
    equal(smtp_login(server, user)[0], f"525 5.7.13 {sentence}", "submission")
    answer = imap_login(server, User(user.address, "not it"))[-1]
    check(answer.startswith("a NO [AUTHENTICATIONFAILED]") and "gesperrt" not in answer and
          "abgelaufen" not in answer, f"a stranger hears {answer}")


def state(server, user):
    rows = json.loads(server.order("user", "list", "--json"))
    return next((r["state"], r["reason"], r["expires"]) for r in rows if r["address"] == user.address)


def code(client, to):
    """What port 25 says to this recipient."""
    client.ehlo_or_helo_if_needed()
    check(client.mail("x@elsewhere.example")[0] == 250, "MAIL")
    number, text = client.rcpt(to)
    client.rset()
    return number, text.decode().split()[0]


# --- accounts ---

def open_idle(server, user):
    wire = server.wire("imaps")
    wire.expect("* OK")
    wire.send(f'a LOGIN {user.address} "{user.password}"\r\n')
    wire.until("a OK")
    wire.send("b SELECT INBOX\r\nc IDLE\r\n")
    wire.until("+")
    return wire


@scenario(120)
def account_locked(_):
    with Server() as server:
        user = server.user("locked")
        app = User(user.address,
                   server.order("user", "app-password", "add", user.address, "phone").strip())
        comes_in(server, user)
        comes_in(server, app)
        idle = open_idle(server, user)
        server.order("user", "lock", user.address, "--reason", "Spam verschickt – bitte anrufen")
        check("Konto gesperrt" in idle.line().decode(), "the open session was not told")
        equal(idle.line(), b"", "the open session")
        sentence = "Ihr Konto ist gesperrt / Your account is locked: Spam verschickt - bitte anrufen"
        is_refused(server, user, sentence)
        equal(imap_login(server, app), [f"a NO [CONTACTADMIN] {sentence}"], "an app password")
        equal(state(server, user), ("locked", "Spam verschickt – bitte anrufen", None), "user list")
        server.deliver(user, message("while locked"))
        server.stop()
        server.start()
        equal(imap_login(server, user)[-1], f"a NO [CONTACTADMIN] {sentence}", "after a restart")
        server.order("user", "unlock", user.address)
        comes_in(server, user)
        equal(server.subjects(user), ["while locked"], "the mail of that time")
        equal(state(server, user), ("active", "", None), "user list")
        # Right passwords were no wrong ones.
        refused = server.events("login.refused")
        check(len(refused) >= 9 and {e["failures"] for e in refused} == {"0"}, f"{refused[:2]}")
        for words in (["lock", "nobody@example.test"], ["set", "nobody@example.test", "--quota=1M"]):
            status, _, why = server.run("user", *words)
            check(status == 3 and "no such user" in why, f"{words}: {status} {why}")
        status, _, why = server.run("user", "lock", user.address, "--reason", "two\nlines")
        check(status == 1 and "one line" in why, f"{status} {why}")


@scenario(120)
def account_blocked_and_expired(_):
    with Server() as server:
        user, other = server.user("blocked"), server.user("other")
        server.order("user", "block-sending", user.address, "--reason=Rechnung offen")
        comes_in(server, user)
        sentence = "Das Senden ist fuer Ihr Konto gesperrt / Sending is blocked for your account: " \
                   "Rechnung offen"
        client = smtp_login(server, user)[1]
        for sender in (user.address, ""):
            number, text = client.mail(sender)
            equal((number, text.decode()), (550, f"5.7.1 {sentence}"), f"MAIL of {sender}")
        equal(state(server, user)[0], "send-blocked", "user list")
        server.order("user", "allow-sending", user.address)
        client.sendmail(user.address, [other.address], message("now", sender=user.address))
        equal(server.subjects(other), ["now"], "what was sent")

        server.order("user", "set", user.address, "--expires", day(0))
        comes_in(server, user)
        equal(state(server, user), ("active", "", day(0)), "on the last day")
        check(f"active, until {day(0)}" in server.order("user", "list"), "user list for people")
        idle = open_idle(server, user)
        server.order("user", "set", user.address, f"--expires={german(day(-1))}")
        check("Konto abgelaufen" in idle.line().decode(), "the open session was not told")
        is_refused(server, user, f"Ihr Konto ist am {german(day(-1))} abgelaufen / "
                                 f"Your account expired on {day(-1)}")
        equal(state(server, user), ("expired", "", day(-1)), "user list")
        server.order("alias", "add", "both@example.test", user.address, other.address)
        with server.smtp() as mx:
            equal(code(mx, user.address), (550, "5.2.1"), "mail to it")
            equal(code(mx, "both@example.test"), (250, "2.1.5"), "mail to an alias of two")
        server.deliver("both@example.test", message("to both"))
        server.order("user", "set", user.address, "--expires=never", "--quota=5M")
        comes_in(server, user)
        equal(server.subjects(user), [], "the mail of that time")
        equal(server.subjects(other)[-1], "to both", "the other one's mail")
        for value, word in (("--expires=tomorrow", "no day"), ("--expires=2026-02-30", "no day"),
                            ("--quota=much", "no size")):
            status, _, why = server.run("user", "set", user.address, value)
            check(status == 1 and word in why, f"{value}: {status} {why}")


# --- the service ---

def notice(server, user, sentence):
    """What all protocols tell at a login; "": nothing."""
    told = [line for line in imap_login(server, user) if "[ALERT]" in line]
    equal(told, [f"* OK [ALERT] {sentence}"] if sentence else [], "IMAP")
    equal(pop3_login(server, user), f"+OK welcome - {sentence}" if sentence else "+OK welcome", "POP3")
    wire = server.wire("submissions")
    wire.expect("220")
    wire.send("EHLO client.example\r\n")
    wire.until("250 ")
    wire.send("AUTH LOGIN\r\n")
    for word in user:
        wire.expect("334")
        wire.send(smtplib.base64.b64encode(word.encode()) + b"\r\n")
    equal(wire.line().decode("ascii"),
          f"235 2.7.0 welcome - {sentence}" if sentence else "235 2.7.0 welcome", "submission")


def takes_mail(server, user, yes):
    with server.smtp() as mx:
        equal(code(mx, user.address), (250, "2.1.5") if yes else NOT_NOW, "port 25")
        equal(code(mx, "nobody@example.test"), (550, "5.1.1"), "port 25, nobody")
    number, text = smtp_login(server, user)[1].mail(user.address)
    equal((number, text.decode().split()[0]), (250, "2.1.0") if yes else NOT_NOW, "submission")
    client = server.imap(user)
    status, text = client.append("Drafts", None, None, message("a draft"))
    equal((status, b"[UNAVAILABLE]" in text[0]), ("OK", False) if yes else ("NO", True), f"APPEND {text}")


def tidies_up(server, user):
    """Reading, flags, moving and deleting go on."""
    client = server.imap(user)
    client.select()
    equal(client.store("1", "+FLAGS", "(\\Seen)")[0], "OK", "STORE")
    equal(client.uid("MOVE", "1:*", "Trash")[0], "OK", "MOVE")
    client.select("Trash")
    check(client.fetch("1", "(BODY.PEEK[])")[1][0], "FETCH")
    client.store("1:*", "+FLAGS", "(\\Deleted)")
    equal(client.expunge()[0], "OK", "EXPUNGE")


def service(server):
    shown = json.loads(server.order("service", "show", "--json"))
    return shown["state"], shown["last_day"], shown["takes_mail"]


@scenario(180)
def service_states(_):
    with Server() as server:
        user = server.user("all")
        equal(service(server), ("closed", None, True), "a new service")
        notice(server, user, "")
        takes_mail(server, user, True)
        server.order("service", "closed", "--notice", "Grüße an alle")
        notice(server, user, "Gruesse an alle")
        notice(server, user, "")  # once an hour
        notice(server, server.user("next"), "Gruesse an alle")

        session = server.imap(user)  # opened before it: the change is in effect for it too
        server.deliver(user, message("before"))
        server.order("service", "read-only", "--notice=Umzug bis 18 Uhr")
        equal(service(server), ("read-only", None, False), "service show")
        notice(server, user, "Der Dienst nimmt zurzeit keine Mail an und verschickt keine / The "
                             "service takes and sends no mail at present: Umzug bis 18 Uhr")
        takes_mail(server, user, False)
        equal(session.append("Drafts", None, None, message("late"))[0], "NO", "APPEND of an old session")
        tidies_up(server, user)
        server.stop()
        server.start()
        takes_mail(server, user, False)
        server.order("user", "add", "--password-stdin", "late@example.test", stdin="Secret-12345\n")

        server.order("service", "ended", "--on", day(30))
        equal(service(server), ("ended", day(30), True), "service show")
        notice(server, user, f"Der Dienst endet am {german(day(30))} / The service ends on {day(30)}")
        takes_mail(server, user, True)
        server.order("service", "ended", "--on", german(day(-1)))
        notice(server, user, f"Der Dienst wurde am {german(day(-1))} beendet; Mail kann noch abgeholt "
                             f"werden / The service ended on {day(-1)}; mail can still be fetched")
        takes_mail(server, user, False)
        check("can be fetched" in server.order("service", "show"), "service show for people")
        server.order("service", "open")
        takes_mail(server, user, True)
        notice(server, user, "")
        for words in (["ended"], ["ended", "--on=soon"]):
            status, _, why = server.run("service", *words)
            check(status == 1 and "--on wants its last day" in why, f"{words}: {status} {why}")
        equal(len(server.events("service")), 5, "lines in the log")


# --- invitations ---

def scgi(server, method, uri, body=b"", cookie=""):
    """What the web server would ask: (status, headers, text)."""
    pairs = [("CONTENT_LENGTH", str(len(body))), ("SCGI", "1"), ("REQUEST_METHOD", method),
             ("REQUEST_URI", uri), ("REMOTE_ADDR", "127.9.9.9"), ("HTTP_COOKIE", cookie),
             ("CONTENT_TYPE", "application/x-www-form-urlencoded")]
    head = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in pairs)
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(70)
        s.connect(str(server.state / "internal" / "web"))
        s.sendall(str(len(head)).encode() + b":" + head + b"," + body)
        s.shutdown(socket.SHUT_WR)
        answer = b""
        while some := s.recv(65536):
            answer += some
    head, _, text = answer.decode().partition("\r\n\r\n")
    return head, text


def join(server, link, password):
    """As a browser does it: opens the link, fills in the form. The page that comes."""
    uri = link[link.index("/join"):]
    head, page = scgi(server, "GET", uri)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    if "token" not in fields:
        return page
    cookie = re.search(r"(?im)^set-cookie: *([^;]*)", head).group(1)
    fields.update({"new": password, "again": password})
    return scgi(server, "POST", "/join", urllib.parse.urlencode(fields).encode(), cookie)[1]


def invite(server, address, *options):
    made = json.loads(server.order("invite", "--json", address, *options))
    check(re.fullmatch(r"https://[^/]+/join\?invitation=[a-z2-9]{32}", made["link"]), made["link"])
    return made["link"]


@scenario(120)
def invitations(_):
    with Server() as server:
        new = User("neu@example.test", "Selbst-4-gewaehlt")
        status, link, why = server.run("invite", new.address, "--quota=7M")
        check(status == 0 and "the service is closed" in why and link.startswith("https://"),
              f"while closed: {status} {why}")
        check("nimmt zurzeit keine neuen Benutzer auf" in join(server, link.strip(), new.password),
              "used while closed")
        server.order("service", "open")
        status, _, why = server.run("user", "add", "--password-stdin", new.address, stdin="Secret-12345\n")
        check(status == 4 and "an invitation reserves this address" in why, f"{status} {why}")
        page = join(server, link.strip(), "kurz")
        check("mindestens 8 Zeichen" in page, "a bad password")
        server.stop()
        server.start()
        check("neu@example.test" in join(server, link.strip(), new.password), "used")
        comes_in(server, new)
        row = next(r for r in json.loads(server.order("user", "list", "--json"))
                   if r["address"] == new.address)
        equal(row["quota"], 7 << 20, "its quota")
        check("Diese Einladung gibt es nicht" in join(server, link.strip(), "Nochmal-55-x"), "used twice")
        comes_in(server, new)

        first = invite(server, "zwei@example.test", "--for=1d")
        second = invite(server, "zwei@example.test")
        rows = json.loads(server.order("invite", "list", "--json"))
        equal([(r["address"], r["valid"]) for r in rows], [("zwei@example.test", True)], "invite list")
        check(first[-32:] not in server.log_text() and second[-32:] not in server.log_text(), "in the log")
        check("gibt es nicht" in join(server, first, new.password), "the one that was replaced")
        server.order("invite", "delete", "zwei@example.test")
        check("gibt es nicht" in join(server, second, new.password), "the one that was withdrawn")
        short = invite(server, "drei@example.test", "--for=1s")
        wait_until(lambda: "gibt es nicht" in scgi(server, "GET", short[short.index("/join"):])[1],
                   5, "the end of its time")
        server.order("user", "add", "--password-stdin", "drei@example.test", stdin="Secret-12345\n")
        for words, number, word in ((["invite", new.address], 4, "has this address"),
                                    (["invite", "a@elsewhere.example"], 3, "not one of ours"),
                                    (["invite", "delete", "zwei@example.test"], 3, "no invitation"),
                                    (["invite", "x@example.test", "--for=2y"], 1, "no time")):
            status, _, why = server.run(*words)
            check(status == number and word in why, f"{words}: {status} {why}")
