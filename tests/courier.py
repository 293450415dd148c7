#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Mail to other servers, from a user's program to the last reply, with every process in between.

    tests/courier.py [WORD...]          those whose name has one of the words in it

The others are servers of tests/mailhosts.py on loopback addresses; their domains are in signed
zones (tests/zones.py). Times are seconds where they are hours in life.
"""
import email
import os
import pathlib
import re
import signal
import sys
import tempfile
import threading
import time
import traceback

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "clients")]
from harness import Failed, Server, check, equal, message, too_long, wait_until  # noqa: E402
from mailhosts import Hosts  # noqa: E402
from signing import verified, zone  # noqa: E402
from zones import Zones, missing  # noqa: E402

ZONE = "far.example"  # "test." is nobody's for a resolver: RFC 6761
LIFETIME_S, DELAY_S = 14, 4
CONF = """
outbound {{
	port = {port}  loopback = yes  idle = 5s
	retry_first = 1s  retry_longest = 2s  lifetime = {lifetime}s  delay_notice = {delay}s
}}
dns {{ anchor = {anchor}  forward = {{"{ip}:{dns_port}"}} }}
workers {{ mx = 1  session = 1  courier = 1 }}
"""


class World:
    """The server, the zone, and a server for each domain in it."""

    def __init__(self, folder, hosts, dns):
        self.hosts, self.dns, self.host, self.answers = hosts, dns, {}, {}
        text = "@ IN NS ns\nns IN A 127.0.0.1\nnull IN MX 0 .\n"
        for label in ("good", "other", "grey", "no", "mixed", "slow", "busy", "kept", "held", "late",
                      "stop", "friend", "origin", "later", "back", "seven"):
            mx = f"mx.{label}.{ZONE}"
            self.host[label] = hosts.host(mx, answer=lambda s, line, who=label: self.answer(who, s, line),
                                         **({"offers": ("PIPELINING",)} if label == "seven" else {}))
            text += f"{label} IN MX 10 mx.{label}\nmx.{label} IN A {self.host[label].ip}\n"
        text += f"dead IN MX 10 mx.dead\nmx.dead IN A {hosts.address()}\n"
        text += f"hole IN MX 10 mx.hole\nmx.hole IN A {hosts.hole()}\n"
        dns.zone(ZONE, text)
        dns.zone(".", "@ IN NS ns\nns IN A 127.0.0.1\n")
        dns.start()
        conf = CONF.format(port=hosts.port, anchor=dns.anchor, ip=dns.ip, dns_port=dns.port,
                           lifetime=LIFETIME_S, delay=DELAY_S)
        self.server = Server(conf)

    def answer(self, label, session, line):
        how = self.answers.get(label)
        return how(session, line) if how else None

    def send(self, user, *to, subject="hello", **more):
        octets = message(subject, sender=user.address, to=", ".join(to), **more)
        with self.server.submission(user) as client:
            client.sendmail(user.address, to, octets)
        return octets

    def mails(self, label):
        return [m for s in self.host[label].sessions for m in s.mails if m]  # "": RFC 2920 3.1

    def arrived(self, label, n, seconds=10):
        wait_until(lambda: len(self.mails(label)) >= n, seconds, f"mail {n} at {label}")
        equal(len(self.mails(label)), n, f"mails at {label}")

    def empty(self, seconds=10):
        wait_until(lambda: "is empty" in self.server.order("queue", "list"), seconds, "an empty queue")

    def queued(self, domain):
        """The ids of what waits for a domain."""
        return re.findall(rf"(?m)^(\w+) .*@{domain}\.{ZONE}", self.server.order("queue", "list"))

    def inbox(self, user, n, seconds=10):
        wait_until(lambda: len(self.server.fetch(user)) >= n, seconds, f"mail {n} in the inbox")
        return [self.server.fetch(user)[uid] for uid in sorted(self.server.fetch(user))]


def at(label, local="x"):
    return f"{local}@{label}.{ZONE}"


def arrives_as_it_was(w):
    user = w.server.user("ann")
    began = time.monotonic()
    sent = w.send(user, at("good"), subject="first")
    w.arrived("good", 1)
    took = time.monotonic() - began
    check(took < 3, f"it took {took:.1f} s")
    got = w.mails("good")[0]
    check(got.endswith(sent.split(b"\r\n\r\n", 1)[1]), f"another body: {got}")
    session = w.host["good"].sessions[0]
    check(session.tls, "in clear")
    equal(session.commands[0].split()[0], "EHLO", "the first word")
    w.empty()
    row = wait_until(lambda: [e for e in w.server.events("mail.out") if e["to"] == at("good")], 5, "the log")[0]
    equal((row["result"], row["code"], row["tries"], row["host"]),
          ("delivered", "250", "1", f"mx.good.{ZONE}"), "the log")
    equal(w.server.fetch(user), {}, "the inbox")


def one_transaction_for_a_domain(w):
    user = w.server.user("ann")
    w.send(user, *[at("other", f"r{i}") for i in range(5)], at("good", "r5"))
    w.arrived("other", 1)
    commands = [c for s in w.host["other"].sessions for c in s.commands]
    equal(sum(c.startswith("RCPT") for c in commands), 5, "recipients")
    equal(sum(c.startswith("MAIL") for c in commands), 1, "transactions")
    w.empty()


def greylisting_costs_seconds(w):
    user, seen = w.server.user("ann"), []

    def answer(_session, line):
        if line.startswith("RCPT"):
            seen.append(line)
            return "450 4.7.1 greylisted, come back" if len(seen) == 1 else None
        return None

    w.answers["grey"] = answer
    w.send(user, at("grey"))
    w.arrived("grey", 1)
    equal(len(seen), 2, "tries")
    w.empty()
    equal(w.server.fetch(user), {}, "the inbox")


def a_refusal_comes_back(w):
    user = w.server.user("ann")
    w.answers["no"] = lambda s, line: "550 5.1.1 no such user here" if line.startswith("RCPT") else None
    w.send(user, at("no", "nobody"), subject="for nobody")
    report = w.inbox(user, 1)[0].decode()
    for part in ("Return-Path: <>", "Final-Recipient: rfc822;nobody@no.far.example", "Status: 5.1.1",
                 "Diagnostic-Code: smtp;550 5.1.1 no such user here", "Action: failed",
                 f"Remote-MTA: dns;mx.no.{ZONE}", "Subject: for nobody"):
        check(part in report, f"{part!r} is not in {report}")
    w.empty()
    w.send(user, at("null"), subject="to a domain without mail")
    check("Status: 5.1.10" in w.inbox(user, 2)[1].decode(), "null MX")
    w.empty()


def a_report_for_others_is_signed(w):
    """Somebody wrote to an alias that leads to a server that refuses: he hears of it."""
    w.answers["no"] = lambda s, line: "550 5.1.1 no such user here" if line.startswith("RCPT") else None
    w.server.order("alias", "add", "onward@example.test", at("no"))
    w.server.deliver("onward@example.test", message("on and on", sender=at("back")), sender=at("back"))
    w.arrived("back", 1)
    report = w.mails("back")[0].decode()
    for part in ("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.test;",
                 "From: Mail Delivery System <postmaster@example.test>", "Status: 5.1.1", "Subject: on and on"):
        check(part in report, f"{part!r} is not in {report}")
    check(any(c.startswith("MAIL FROM:<>") for s in w.host["back"].sessions for c in s.commands), "no null sender")
    check("Return-Path" not in report, "a Return-Path that left the house")


def seven_bits_and_still_signed(w):
    """What is made of a mail for a server of 7 bits is what was written, and its signatures hold."""
    user, keys = w.server.user("ann"), zone(w.server)
    extra = "MIME-Version: 1.0\r\nContent-Type: {}\r\nContent-Transfer-Encoding: {}\r\n"
    rows = [("8BITMIME", "text/plain; charset=utf-8", "8bit", "Gr\u00fc\u00dfe aus K\u00f6ln\r\n".encode() * 3000),
            ("BINARYMIME", "application/octet-stream", "binary", bytes(range(256)) * 300),
            ("BINARYMIME", "application/octet-stream", "binary", b"ASCII\nand\rno line ends")]
    for i, (kind, what, how, body) in enumerate(rows):
        octets = message(f"bits {i}", body, user.address, extra=extra.format(what, how))
        octets = octets[:octets.index(b"\r\n\r\n") + 4] + body
        with w.server.submission(user) as client:
            client.ehlo()
            equal(client.mail(user.address, [f"BODY={kind}"])[0], 250, "MAIL")
            equal(client.rcpt(at("seven"))[0], 250, "RCPT")
            client.send(b"BDAT %d LAST\r\n" % len(octets) + octets)
            equal(client.getreply()[0], 250, "BDAT")
        w.arrived("seven", i + 1)
        got = w.mails("seven")[i]
        check(all(octet < 128 for octet in got), "8 bits to a server of 7")
        equal(email.message_from_bytes(got).get_payload(decode=True), body, "what it says")
        equal([(a, good) for a, _, _, good in verified(got, keys)],
              [("rsa-sha256", True), ("ed25519-sha256", True)], f"signatures of mail {i}")
    w.empty()


def some_are_taken_some_are_not(w):
    user, late = w.server.user("ann"), []

    def answer(_session, line):
        if "<no@" in line:
            return "550 5.1.1 no"
        if "<later@" in line:
            late.append(line)
            return "452 4.2.2 full" if len(late) < 3 else None
        return None

    w.answers["mixed"] = answer
    w.send(user, at("mixed", "yes"), at("mixed", "no"), at("mixed", "later"))
    w.arrived("mixed", 2, 15)
    w.empty()
    reports = w.inbox(user, 1)
    equal(len(reports), 1, "reports")
    equal(re.findall(rb"Final-Recipient: rfc822;(\w+)@", reports[0]), [b"no"], "whom the report is about")


def delay_then_the_end(w):
    user, began = w.server.user("ann"), time.monotonic()
    w.send(user, at("dead"))
    told = w.inbox(user, 1, DELAY_S + 8)[0]
    check(b"Action: delayed" in told and b"Will-Retry-Until" in told, "no report of a delay")
    check(time.monotonic() - began > DELAY_S - 1, "it came too soon")
    both = w.inbox(user, 2, LIFETIME_S + 8)
    check(b"Action: failed" in both[1] and b"Status: 4.4." in both[1] or b"Status: 5.4." in both[1],
          both[1].decode())
    check(time.monotonic() - began > LIFETIME_S - 1, "it was given up too soon")
    w.empty()
    equal(len(w.server.fetch(user)), 2, "reports")


def dead_ones_slow_nobody(w):
    user = w.server.user("ann")
    for i in range(6):
        w.send(user, at("hole"), at("dead"), subject=f"into the hole {i}")
    began = time.monotonic()
    before = len(w.mails("busy"))
    for i in range(10):
        w.send(user, at("busy"), subject=f"good {i}")
    w.arrived("busy", before + 10)
    took = time.monotonic() - began
    check(took < 8, f"it took {took:.1f} s")
    for domain in ("hole", "dead"):
        for mail in set(w.queued(domain)):
            status, _, err = w.server.run("queue", "delete", mail)
            check(status == 0 or "just now" in err or status, err)


def a_line_is_used_again(w):
    user = w.server.user("ann")
    for i in range(6):
        w.send(user, at("kept"), subject=f"no {i}")
        w.arrived("kept", i + 1)
    equal(len(w.host["kept"].sessions), 1, "connections")
    wait_until(lambda: w.host["kept"].sessions[0].commands[-1] == "QUIT", 10, "the goodbye")


def held_by_the_operator(w):
    user = w.server.user("ann")
    busy = [True]
    w.answers["held"] = lambda s, line: "450 4.3.0 busy" if line.startswith("MAIL") and busy[0] else None
    w.send(user, at("held"))
    mail = wait_until(lambda: w.queued("held"), 10, "it waits")[0]
    wait_until(lambda: w.server.run("queue", "hold", mail)[0] == 0, 10, "hold")
    busy[0] = False
    time.sleep(4)
    equal(len(w.mails("held")), 0, "mails of which one is held")
    w.server.order("queue", "release", mail)
    w.arrived("held", 1)
    wait_until(lambda: not w.queued("held"), 10, "the end of it")


def forwarded_as_one_of_ours(w):
    """The next server may ask SPF about the sender; a bounce to it goes to who wrote the mail."""
    w.server.order("alias", "add", "away@example.test", at("friend"))
    for sender in (at("origin", "Joe"), at("origin", "bounces+3141592653-away=example.test-of-a-long-list")):
        before = len(w.mails("friend"))
        with w.server.smtp() as client:
            client.sendmail(sender, ["away@example.test"], message("hello", sender=sender))
        w.arrived("friend", before + 1)
        said = [c for s in w.host["friend"].sessions for c in s.commands if c.startswith("MAIL")][-1]
        ours = re.search(r"<(SRS0=.*@example\.test)>", said).group(1)
        check(len(ours.split("@")[0]) <= 64, ours)
        check(b"Return-Path:" not in w.mails("friend")[-1], "a Return-Path goes along")
        count = len(w.mails("origin"))
        with w.server.smtp() as client:
            client.sendmail("", [ours.lower()], message("a bounce", sender=at("friend", "mailer-daemon")))
        w.arrived("origin", count + 1)
        to = [c for s in w.host["origin"].sessions for c in s.commands if c.startswith("RCPT")][-1]
        check(f"<{sender}>".lower() in to.lower(), f"{to} for {sender}")
    with w.server.smtp() as client:
        equal(client.docmd("MAIL FROM:<>")[0], 250, "MAIL")
        forged = ours.replace("SRS0=", "SRS0=a", 1) if ours[5] != "a" else ours.replace("SRS0=a", "SRS0=b", 1)
        equal(client.docmd(f"RCPT TO:<{forged}>")[0], 550, "a forged one")
        equal(client.docmd("RSET")[0], 250, "RSET")
        client.docmd(f"MAIL FROM:<{at('friend')}>")
        equal(client.docmd(f"RCPT TO:<{ours}>")[0], 550, "other mail than reports")
    w.empty()


def released_when_its_time_comes(w):
    """RFC 4865, for a mailbox here and for somebody elsewhere."""
    ann, bob = w.server.user("ann"), w.server.user("bob")
    with w.server.submission(ann) as client:
        client.ehlo()
        check(client.has_extn("futurerelease"), client.esmtp_features)
        began = time.monotonic()
        client.sendmail(ann.address, [bob.address, at("later")], message("for later", sender=ann.address),
                        ["HOLDFOR=4"])
    time.sleep(2)
    equal((w.server.fetch(bob), w.mails("later")), ({}, []), "what came before its time")
    w.arrived("later", 1)
    got = w.inbox(bob, 1)
    check(3.5 < time.monotonic() - began < 9, f"{time.monotonic() - began:.1f} s")
    check(got[0].startswith(f"Return-Path: <{ann.address}>\r\nReceived: ".encode()), got[0])
    w.empty()


def who_asks_hears_of_success(w):
    """RFC 3461: of a mailbox here, and of a server that takes no DSN."""
    ann, bob = w.server.user("ann"), w.server.user("bob")
    with w.server.submission(ann) as client:
        client.sendmail(ann.address, [bob.address, at("good")], message("tell me", sender=ann.address), [],
                        ["NOTIFY=SUCCESS"])
    wait_until(lambda: len(w.server.fetch(ann)) == 2, 10, "two reports")
    reports = b"".join(w.server.fetch(ann).values()).decode()
    for whom, action in ((bob.address, "delivered"), (at("good"), "relayed")):
        check(f"Final-Recipient: rfc822;{whom}\r\nAction: {action}" in reports, reports)
    w.empty()


def the_wish_of_a_mail_stays_here(w):
    """Our own field says by which lines a mail may go, and goes no further."""
    ann = w.server.user("ann")
    w.send(ann, at("good"), subject="proven or not at all", extra="X-Tecsmail-Send: authenticated\r\n")
    report = w.inbox(ann, 1)[0].decode()
    check("Status: 5.7.4" in report and "X-Tecsmail-Send" not in report, report)
    count = len(w.mails("good"))
    w.send(ann, at("good"), subject="encrypted", extra="X-Tecsmail-Send: encrypted\r\n")
    w.arrived("good", count + 1)
    check(b"X-Tecsmail" not in w.mails("good")[-1], "our field went along")
    w.empty()


def slowly(delay_s):
    def answer(_session, line):
        if line == ".":
            time.sleep(delay_s)
        return None
    return answer


def subjects(mails):
    return [re.search(rb"(?m)^Subject: (.*?)\r", m).group(1).decode() for m in mails]


def fill(w, user, label, n):
    for i in range(n):
        w.send(user, at(label), subject=f"{label} {i}")
    return {f"{label} {i}" for i in range(n)}


def nothing_is_lost_by_kills(w):
    """What the courier was about to hear when it was killed may come twice, and nothing else."""
    user = w.server.user("ann")
    w.answers["late"] = slowly(0.15)
    wanted, kills = set(), 3
    filling = threading.Thread(target=lambda: wanted.update(fill(w, user, "late", 30)))
    filling.start()
    for _ in range(kills):
        time.sleep(0.7)
        os.kill(w.server.pids()["courier0"], signal.SIGKILL)
        wait_until(lambda: w.server.log_text().count("event=child.up child=courier0") >
                   w.server.log_text().count("event=child.ended child=courier0"), 20, "a new courier")
    filling.join()
    wait_until(lambda: not w.queued("late"), 40, "the end of it")
    got = subjects(w.mails("late"))
    equal(set(got), wanted, "mails")
    check(len(got) <= len(wanted) + kills * 20, f"{len(got)} mails for {len(wanted)}")
    equal(w.server.fetch(user), {}, "the inbox")
    for line in w.server.complaints():
        check("courier0" in line and "signal=9" in line, line)


def nothing_is_lost_by_a_restart(w):
    """Told to end, the courier ends what it has begun: each comes once."""
    user = w.server.user("ann")
    w.answers["stop"] = slowly(0.3)
    wanted = fill(w, user, "stop", 20)
    w.server.stop()
    w.server.start()
    os.kill(w.server.main_pid(), signal.SIGHUP)
    wait_until(lambda: not w.queued("stop"), 30, "the end of it")
    equal(sorted(subjects(w.mails("stop"))), sorted(wanted), "mails")


# What dead_ones_slow_nobody leaves in the queue is in nobody's way behind all others.
SCENARIOS = [arrives_as_it_was, one_transaction_for_a_domain, greylisting_costs_seconds, a_refusal_comes_back,
             a_report_for_others_is_signed, seven_bits_and_still_signed, some_are_taken_some_are_not, delay_then_the_end,
             a_line_is_used_again, held_by_the_operator, forwarded_as_one_of_ours,
             released_when_its_time_comes, who_asks_hears_of_success, the_wish_of_a_mail_stays_here,
             nothing_is_lost_by_a_restart, nothing_is_lost_by_kills, dead_ones_slow_nobody]


def run_all(world):
    words, passed, failed = sys.argv[1:], 0, 0
    for scenario in SCENARIOS:
        name = scenario.__name__
        if words and not any(word in name for word in words):
            continue
        began = time.monotonic()
        try:
            scenario(world)
            passed += 1
            print(f"ok     {name} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception as why:  # whatever it is, the others shall run
            failed += 1
            if not isinstance(why, Failed):
                traceback.print_exc()
            print(f"FAILED {name}: {why}", flush=True)
            world.server.keep = True
    return passed, failed


def main():
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(280)
    if missing():
        print(f"skip: no {', '.join(missing())} here\n0 passed, 0 failed, 1 skipped")
        return 0
    with tempfile.TemporaryDirectory() as folder, Hosts(folder) as hosts, Zones(folder) as dns:
        world = World(folder, hosts, dns)
        with world.server:
            passed, failed = run_all(world)
            wrong = [line for line in world.server.complaints() if "signal=9" not in line]
            if wrong:
                failed += 1
                print("\n".join(wrong))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
