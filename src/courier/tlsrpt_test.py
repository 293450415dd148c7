#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""tlsrpt_test.py PROGRAM - TLS reports: ours, read with other programs' eyes, and those of others.

PROGRAM is tlsrpt_test.c: a line in, a line out. The interpreter is the one that Debian's python3-dkim
is for.
"""
import base64
import datetime
import email
import gzip
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

import dkim

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests"))
from https import Https, Page  # noqa: E402
from tlsreport import Key, day, report  # noqa: E402
from zones import Zones, missing  # noqa: E402

counts = {"passed": 0, "failed": 0}


def check(what, got, want):
    good = got == want
    counts["passed" if good else "failed"] += 1
    if not good:
        print(f"{what}: got {got!r}, want {want!r}")


class Program:
    def __init__(self, words):
        ours, theirs = socket.socketpair()
        self.io, self.lines = ours, ours.makefile("rw", newline="\n")
        self.process = subprocess.Popen(words, stdin=theirs)
        theirs.close()

    def say(self, line):
        self.lines.write(line + "\n")
        self.lines.flush()
        return self.lines.readline().strip()

    def end(self):
        self.lines.close()
        self.io.close()
        return self.process.wait(20)


def make(dns, key):
    dns.zone("test", "@ IN NS ns\nns IN A 127.0.0.1\n"
             '_smtp._tls.mail IN TXT "v=TLSRPTv1; rua=mailto:reports@mail.test,mailto:second@else.test"\n'
             f"_25._tcp.mx.mail IN TLSA 3 1 1 {'5a' * 32}\n"
             f'_smtp._tls.web IN TXT "v=TLSRPTv1; rua=https://reports.web.test/in"\nreports.web IN A {dns.ip}\n'
             f'_smtp._tls.bad IN TXT "v=TLSRPTv1; rua=https://reports.bad.test/in"\nreports.bad IN A {dns.ip}\n'
             '_smtp._tls.down IN TXT "v=TLSRPTv1; rua=https://reports.down.test/in"\n'
             # a name that nobody can answer for
             "sel._domainkey.lost IN CNAME back.lost\nback.lost IN CNAME sel._domainkey.lost\n"
             f"sel._domainkey.big IN TXT {key.record}\n")
    dns.zone(".", "@ IN NS ns.\nns. IN A 127.0.0.1\ntest. IN NS ns.test.\nns.test. IN A 127.0.0.1\n")


def until(p, line, want):
    """The answer, once it is the one wanted, or after a while."""
    end = time.monotonic() + 15
    while (got := p.say(line)) != want and time.monotonic() < end:
        time.sleep(0.1)
    return got


def note(p, domain, *words, times=1):
    for _ in range(times):
        p.say(f"note {domain} " + " ".join(words))


def check_report(report, domain, want):
    check("whose", report["organization-name"], "mail.ours.test")
    check("who answers", report["contact-info"], "postmaster@ours.test")
    check("range", report["date-range"], {"start-datetime": f"{day(1)}T00:00:00Z", "end-datetime": f"{day(1)}T23:59:59Z"})
    check("id", report["report-id"], f"{day(1)}.{domain}@ours.test")
    check("policies", report["policies"], want)


MAIL_POLICIES = [
    {"policy": {"policy-type": "no-policy-found", "policy-domain": "mail.test"},
     "summary": {"total-successful-session-count": 3, "total-failure-session-count": 0}, "failure-details": []},
    {"policy": {"policy-type": "tlsa", "policy-string": ["3 1 1 " + "5a" * 32], "policy-domain": "mail.test"},
     "summary": {"total-successful-session-count": 0, "total-failure-session-count": 2},
     "failure-details": [{"result-type": "validation-failure", "receiving-mx-hostname": "mx.mail.test",
                          "receiving-ip": "192.0.2.1", "failed-session-count": 2,
                          "failure-reason-code": "no record matches"}]},
]


def sent(p, web):
    note(p, "mail.test", "0 0 mx.mail.test 192.0.2.1", times=3)
    note(p, "mail.test", "2 5 mx.mail.test 192.0.2.1 no record matches", times=2)
    note(p, "web.test", "1 1 mx.web.test 2001:db8::1")
    note(p, "down.test", "0 0 mx.down.test 192.0.2.1")
    note(p, "bad.test", "0 0 mx.bad.test 192.0.2.1")
    note(p, "nobody.test", "0 0 mx.nobody.test 192.0.2.1")
    web.pages["reports.web.test", "/in"] = Page("", 201)
    web.bad.add("reports.bad.test")
    p.say("back 1")
    # What could not be sent is kept for the next hour; who wants no reports is forgotten.
    check("left", until(p, "counted", "- bad.test down.test"), "- bad.test down.test")
    host, path, kind, body = web.posted[0]
    check("posted", (len(web.posted), host, path, kind), (1, "reports.web.test", "/in", "application/tlsrpt+gzip"))
    check_report(json.loads(gzip.decompress(body)), "web.test", [
        {"policy": {"policy-type": "sts", "policy-domain": "web.test"},
         "summary": {"total-successful-session-count": 0, "total-failure-session-count": 1},
         "failure-details": [{"result-type": "starttls-not-supported", "receiving-mx-hostname": "mx.web.test",
                              "receiving-ip": "2001:db8::1", "failed-session-count": 1}]}])
    mails = sorted(p.say(f"mail {n}") for n in range(2))
    check("no third", p.say("mail 2"), "none")
    to, sender, octets = mails[0].split()
    check("to", (to, mails[1].split()[0], sender), ("reports@mail.test", "second@else.test", "<>"))
    check_mail(p, base64.b64decode(octets), base64.b64decode(mails[1].split()[2]))
    return base64.b64decode(octets)


def check_mail(p, octets, other):
    m = email.message_from_bytes(octets)
    check("form", (m.get_content_type(), m.get_param("report-type")), ("multipart/report", "tlsrpt"))
    check("fields", (m["TLS-Report-Domain"], m["TLS-Report-Submitter"], m["To"], m["TLS-Required"]),
          ("mail.test", "ours.test", "<reports@mail.test>", "No"))
    check("subject", " ".join(m["Subject"].split()),
          f"Report Domain: mail.test Submitter: ours.test Report-ID: <{day(1)}.mail.test@ours.test>")
    check("another id", m["Message-ID"] != email.message_from_bytes(other)["Message-ID"], True)
    part = m.get_payload()[1]
    check("part", part.get_content_type(), "application/tlsrpt+gzip")
    begin = int(datetime.datetime(*day(1).timetuple()[:3], tzinfo=datetime.timezone.utc).timestamp())
    check("name", part.get_filename(), f"ours.test!mail.test!{begin}!{begin + 86399}!001.json.gz")
    check_report(json.loads(gzip.decompress(part.get_payload(decode=True))), "mail.test", MAIL_POLICIES)
    keys = dict(k.split("|") for k in p.say("keys").split("||") if k)
    lookup = lambda name, **_: keys.get(name.decode().split(".")[0], "").encode()  # noqa: E731
    check("signatures", octets.count(b"DKIM-Signature:"), 2)
    for n in range(2):
        check(f"signature {n}", dkim.DKIM(octets).verify(idx=n, dnsfunc=lookup), True)


def received(p, own, key):
    def letter(*words, **how):
        return "deliver " + base64.b64encode(key.letter(*words, **how)).decode()

    big = "- big.test ours.test 7/2 certificate-expired=2"
    p.say(letter(report()))
    check("a good one", p.say("got"), big)
    for what, order in (
            ("the same once more", letter(report())),
            ("no signature", letter(report(3, ident="a"), sign=False)),
            ("changed on the way", letter(report(4, ident="b"), spoil=True)),
            ("another's name in From", letter(report(5, ident="c"), sender="noreply@small.test")),
            ("no key there", letter(report(6, ident="d"), domain="small.test", sender="a@small.test")),
            ("not of our domain", letter(report(7, domain="else.test", ident="e"))),
            ("long ago", letter(report(8, ident="f", back=100))),
            ("no report", letter([1, 2])),
            ("ours, without a key in the DNS", "deliver " + base64.b64encode(own).decode()),
            ("no mail at all", "deliver " + base64.b64encode(b"\0" * 1000).decode()),
            ("too long", "deliver " + base64.b64encode(b"x: y\r\n\r\n" + b"z" * (2 << 20)).decode())):
        p.say(order)
        check(what, p.say("got"), big)
    p.say(letter(report(0, ident="g"), sender="noreply@sub.big.test"))
    check("from below the domain that signed", p.say("got").count("big.test ours.test"), 2)
    for i in range(30):
        p.say(letter(report(1, ident=f"lost{i}"), domain="lost.test", sender="a@lost.test"))
    check("those whose keys cannot be had stay, but not all", p.say("left 20"), "20")
    p.say(letter(report(0, ident="last")))
    check("and another one is read", until(p, "left 20", "20"), "20")


def main():
    if missing():
        print("not there:", *missing())
        return 77
    with tempfile.TemporaryDirectory(prefix="tecsmail-tlsrpt-") as home, Zones(home) as dns, Https(home, dns.ip) as web:
        key = Key(home)
        make(dns, key)
        dns.start()
        p = Program([sys.argv[1], dns.ip, str(dns.port), str(dns.anchor), str(web.ca), str(web.port)])
        received(p, sent(p, web), key)
        check("its end", p.end(), 0)
    print(f"{counts['passed']} checks passed, {counts['failed']} failed")
    return 1 if counts["failed"] else 0


sys.exit(main())
