#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The webmail's sockets: whose browser it is is believed there, and nowhere else.

    tests/webmail_trust.py

All comes from one machine, so the addresses of browsers are those of the loopback: 127.0.0.1
is the machine's own and never closed, the rest of 127.0.0.0/8 counts as strangers, who can try
the public ports too. The program is build/tecsmail, or what TECSMAIL names.
"""
import base64
import grp
import os
import pathlib
import pwd
import signal
import socket
import ssl
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "clients"))
from harness import Failed, Server, check, equal, too_long, wait_until  # noqa: E402

CLOSED = "Zugang gesperrt bis "


class Talk:
    """A connection, line by line: to a port from an address of ours, or to a socket's path."""

    def __init__(self, where, source=None, tls=False):
        if isinstance(where, int):
            self.socket = socket.create_connection(("127.0.0.1", where), 20,
                                                   source_address=(source or "127.0.0.1", 0))
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(20)
            self.socket.connect(where)
        if tls:
            self.socket = ssl._create_unverified_context().wrap_socket(self.socket)
        self.file = self.socket.makefile("rb")
        self.greeting = self.read()

    def read(self):
        return self.file.readline().decode("ascii").rstrip("\r\n")

    def imap(self, line):
        """The tagged reply, or the goodbye."""
        self.socket.sendall(b"a " + line.encode() + b"\r\n")
        answer = self.read()
        while answer.startswith("* ") and not answer.startswith("* BYE"):
            answer = self.read()
        return answer

    def smtp(self, line):
        """The last line of the reply."""
        self.socket.sendall(line.encode() + b"\r\n")
        answer = self.read()
        while answer[3:4] == "-":
            answer = self.read()
        return answer


def plain(user, password):
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def fetch(server, browser, password):
    """As Roundcube fetches mail for that browser."""
    talk = Talk(server.access["internal"]["imap"])
    check(talk.imap(f'ID ("name" "Roundcube" "x-originating-ip" "{browser}")') == "a OK ID done", "ID")
    return talk.imap(f"AUTHENTICATE PLAIN {plain(server.demo1.address, password)}")


def submit(server, browser, password):
    """As Roundcube sends: EHLO, XCLIENT, HELO, AUTH. The connection and its last answer."""
    talk = Talk(server.access["internal"]["submission"])
    check(talk.smtp("EHLO webmail.test").startswith("250 "), "EHLO")
    told = f"IPV6:{browser}" if ":" in browser else browser
    equal(talk.smtp(f"XCLIENT ADDR={told}")[:4], "220 ", "XCLIENT")
    check(talk.smtp("HELO webmail.test").startswith("250 "), "HELO")
    equal(talk.smtp("AUTH PLAIN")[:3], "334", "AUTH")
    return talk, talk.smtp(plain(server.demo1.address, password))


def starts(answer, head):
    check(answer.startswith(head), f"{answer!r}, wanted {head!r}")


def one_browser_closes_itself(server):
    for _ in range(4):
        starts(fetch(server, "127.9.1.1", "wrong"), "a NO [AUTHENTICATIONFAILED]")
    starts(fetch(server, "127.9.1.1", "wrong"), "* BYE [ALERT] " + CLOSED)
    starts(fetch(server, "127.9.1.1", server.demo1.password), "* BYE [ALERT] " + CLOSED)
    starts(submit(server, "127.9.1.1", server.demo1.password)[1], "421 4.7.0 " + CLOSED)


def and_on_the_public_ports(server):
    for port, tls, head in [(server.access["imap"]["tls"], True, "* BYE [ALERT] "),
                            (server.access["pop3"]["tls"], True, "-ERR [SYS/TEMP] "),
                            (server.access["submission"]["starttls"], False, "421 4.7.0 "),
                            (server.access["smtp"]["starttls"], False, "421 4.7.0 ")]:
        starts(Talk(port, "127.9.1.1", tls).greeting, head + CLOSED)


def the_next_browser_goes_on(server):
    starts(fetch(server, "127.9.1.2", server.demo1.password), "a OK")
    starts(submit(server, "127.9.1.2", server.demo1.password)[1], "235 ")


def sending_counts_with_reading(server):
    for _ in range(3):
        starts(fetch(server, "127.9.1.3", "wrong"), "a NO")
    starts(submit(server, "127.9.1.3", "wrong")[1], "535 ")
    starts(submit(server, "127.9.1.3", "wrong")[1], "421 4.7.0 " + CLOSED)
    starts(fetch(server, "127.9.1.3", server.demo1.password), "* BYE [ALERT] " + CLOSED)


def a_public_port_closes_the_webmail_too(server):
    for _ in range(5):
        Talk(server.access["imap"]["tls"], "127.9.1.4", True).imap(
            f"LOGIN {server.demo1.address} wrong")
    starts(fetch(server, "127.9.1.4", server.demo1.password), "* BYE [ALERT] " + CLOSED)


def a_house_of_ipv6_is_one(server):
    for n in range(1, 5):
        starts(fetch(server, f"2001:db8:1:2::{n}", "wrong"), "a NO")
    starts(submit(server, "2001:db8:1:2::5", "wrong")[1], "421 4.7.0 " + CLOSED)
    starts(fetch(server, "2001:db8:1:2::99", server.demo1.password), "* BYE [ALERT] " + CLOSED)
    starts(fetch(server, "2001:db8:1:3::1", server.demo1.password), "a OK")


def the_machine_itself_never(server):
    for own in "127.0.0.1", "::1", "::ffff:127.0.0.1":
        for _ in range(7):
            starts(fetch(server, own, "wrong"), "a NO [AUTHENTICATIONFAILED]")
        starts(fetch(server, own, server.demo1.password), "a OK")
        starts(submit(server, own, server.demo1.password)[1], "235 ")


def who_says_no_address_is_not_let_in(server):
    paths = server.access["internal"]
    login = f"LOGIN {server.demo1.address} {server.demo1.password}"
    for said in [None, "ID NIL", 'ID ("x-originating-ip" NIL)', 'ID ("x-originating-ip" "unknown")',
                 'ID ("x-originating-ip" "127.9.1.5:80")']:
        talk = Talk(paths["imap"])
        if said:
            talk.imap(said)
        starts(talk.imap(login), "a NO [CONTACTADMIN]")
    for said in [None, "XCLIENT", "XCLIENT ADDR=[UNAVAILABLE]", "XCLIENT ADDR=127.9.1", "XCLIENT NAME=x"]:
        talk = Talk(paths["submission"])
        talk.smtp("EHLO webmail.test")
        if said:
            starts(talk.smtp(said), "501 ")
        starts(talk.smtp(f"AUTH PLAIN {plain(*server.demo1)}"), "503 5.5.1 say XCLIENT")


def an_address_is_told_once(server):
    talk = Talk(server.access["internal"]["imap"])
    starts(talk.imap('ID ("x-originating-ip" "127.9.1.6")'), "a OK")
    starts(talk.imap('ID ("x-originating-ip" "127.9.1.7")'), "a BAD")
    for _ in range(4):
        starts(talk.imap(f"LOGIN {server.demo1.address} wrong"), "a NO")
    starts(talk.imap(f"LOGIN {server.demo1.address} wrong"), "* BYE [ALERT] " + CLOSED)
    starts(fetch(server, "127.9.1.6", server.demo1.password), "* BYE [ALERT] ")
    starts(fetch(server, "127.9.1.7", server.demo1.password), "a OK")


def elsewhere_id_is_not_believed(server):
    """Five guesses under another's address close the one they came from."""
    for n in range(5):
        talk = Talk(server.access["imap"]["tls"], "127.9.2.1", True)
        starts(talk.imap('ID ("name" "Roundcube" "x-originating-ip" "127.9.2.2")'), "a OK")
        starts(talk.imap(f"LOGIN {server.demo1.address} wrong"), "a NO" if n < 4 else "* BYE [ALERT] ")
    starts(Talk(server.access["imap"]["tls"], "127.9.2.1", True).greeting, "* BYE [ALERT] " + CLOSED)
    starts(Talk(server.access["imap"]["tls"], "127.9.2.2", True).greeting, "* OK")
    starts(fetch(server, "127.9.2.2", server.demo1.password), "a OK")


def elsewhere_xclient_is_unknown(server):
    ports = server.access
    for where, tls in [(ports["submission"]["tls"], True), (ports["submission"]["starttls"], False),
                       (ports["smtp"]["starttls"], False)]:
        talk = Talk(where, "127.9.2.3", tls)
        talk.socket.sendall(b"EHLO webmail.test\r\n")
        while (line := talk.read())[3:4] == "-":
            check("XCLIENT" not in line, line)
        check("XCLIENT" not in line, line)
        starts(talk.smtp("XCLIENT ADDR=127.9.2.4"), "500 5.5.1")
    talk = Talk(ports["lmtp"])
    starts(talk.smtp("LHLO webmail.test"), "250 ")
    starts(talk.smtp("XCLIENT ADDR=127.9.2.4"), "500 5.5.1")


def the_log_names_the_browser_the_mail_does_not(server):
    talk, answer = submit(server, "127.9.3.1", server.demo1.password)
    starts(answer, "235 ")
    starts(talk.smtp(f"MAIL FROM:<{server.demo1.address}>"), "250 ")
    starts(talk.smtp(f"RCPT TO:<{server.demo2.address}>"), "250 ")
    starts(talk.smtp("DATA"), "354 ")
    starts(talk.smtp(f"From: {server.demo1.address}\r\nSubject: from the web\r\n\r\nhello\r\n."), "250 ")
    mails = wait_until(lambda: server.fetch(server.demo2), what="the mail")
    text = next(iter(mails.values()))
    check(b"Subject: from the web" in text and b"127.9.3.1" not in text, text.decode())
    for event in "login", "mail.in":
        check(any(f"event={event} " in line and "ip=127.9.3.1 " in line
                  for line in server.log_text().splitlines()), f"no {event} with the address")


def knock(path, user, groups):
    """Does a process of that user get in? In a child, as root may become him."""
    pid = os.fork()
    if pid == 0:
        status = 2
        try:
            os.setgroups(groups)
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            socket.socket(socket.AF_UNIX).connect(path)
            status = 0
        except PermissionError:
            status = 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def nobody_else_may_enter(server):
    for path in server.access["internal"].values():
        mode = os.stat(path).st_mode & 0o777
        if os.geteuid():
            equal(mode, 0o600, path)
            continue
        webmail = grp.getgrnam("www-data")
        equal((mode, os.stat(path).st_gid), (0o660, webmail.gr_gid), path)
        os.chmod(server.home, 0o711)  # the test's own folder is in nobody's way
        nobody = pwd.getpwnam("nobody")
        equal(knock(path, nobody, []), 1, "a stranger")
        equal(knock(path, nobody, [webmail.gr_gid]), 0, "one of the group")


def a_ban_ends_the_browsers_sessions(_):
    """And no other's, though all come over one socket; an exempt network's are never counted."""
    extra = '\nlockout {\n\tblocks = 1\n\tkernel = no\n\texempt = {"127.9.5.128/25"}\n}\n'
    with Server(extra) as server:
        open_ones = {}
        for browser in "127.9.5.1", "127.9.5.2":
            talk = open_ones[browser] = Talk(server.access["internal"]["imap"])
            talk.imap(f'ID ("x-originating-ip" "{browser}")')
            starts(talk.imap(f"LOGIN {server.demo1.address} {server.demo1.password}"), "a OK")
        sender, answer = submit(server, "127.9.5.1", server.demo1.password)
        starts(answer, "235 ")
        for _ in range(4):
            starts(fetch(server, "127.9.5.1", "wrong"), "a NO")
        # The ban ends all that is open just then: perhaps the fifth before its answer is written.
        starts(fetch(server, "127.9.5.1", "wrong"), "* BYE ")
        wait_until(lambda: fetch(server, "127.9.5.1", server.demo1.password).startswith(
            "* BYE [ALERT] " + CLOSED), what="the sentence")
        starts(open_ones["127.9.5.1"].read(), "* BYE ")
        starts(sender.read(), "421 ")
        starts(open_ones["127.9.5.2"].imap("NOOP"), "a OK")
        starts(fetch(server, "127.9.5.2", server.demo1.password), "a OK")
        for _ in range(7):
            starts(fetch(server, "127.9.5.200", "wrong"), "a NO [AUTHENTICATIONFAILED]")
        starts(fetch(server, "127.9.5.200", server.demo1.password), "a OK")


def a_reload_keeps_the_doors(server):
    os.kill(server.main_pid(), signal.SIGHUP)
    wait_until(lambda: "event=reload" in server.log_text(), what="the reload")
    starts(fetch(server, "127.9.1.2", server.demo1.password), "a OK")
    starts(submit(server, "127.9.1.2", server.demo1.password)[1], "235 ")


def a_restart_forgets_nothing(server):
    server.stop()
    server.start()
    starts(fetch(server, "127.9.1.1", server.demo1.password), "* BYE [ALERT] " + CLOSED)
    starts(fetch(server, "127.9.1.2", server.demo1.password), "a OK")


SCENARIOS = [one_browser_closes_itself, and_on_the_public_ports, the_next_browser_goes_on,
             sending_counts_with_reading, a_public_port_closes_the_webmail_too, a_house_of_ipv6_is_one,
             the_machine_itself_never, who_says_no_address_is_not_let_in, an_address_is_told_once,
             elsewhere_id_is_not_believed, elsewhere_xclient_is_unknown,
             the_log_names_the_browser_the_mail_does_not, nobody_else_may_enter,
             a_ban_ends_the_browsers_sessions, a_reload_keeps_the_doors,
             a_restart_forgets_nothing]


def main():
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(170)
    failed = 0
    with Server() as server:
        for scenario in SCENARIOS:
            try:
                scenario(server)
                print(f"ok {scenario.__name__}", flush=True)
            except (Failed, OSError) as why:
                failed += 1
                print(f"FAILED {scenario.__name__}: {why}", flush=True)
    print(f"{len(SCENARIOS) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
