#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""sts_test.py PROGRAM - policies of other domains, from a web server and a name server made here.

PROGRAM is sts_test.c: a line in, a line out.
"""
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests"))
from https import Https, Page  # noqa: E402
from zones import Zones, missing  # noqa: E402

PATH = "/.well-known/mta-sts.txt"
DOMAINS = ("good", "second", "testing", "none", "brief", "later", "moved", "badname", "ownsign", "long", "html", "broken",
           "lost", "slow", "hanging", "many", "changing")
UNKNOWN = "out of reach for now"
counts = {"passed": 0, "failed": 0}


def check(what, got, want):
    good = got == want
    counts["passed" if good else "failed"] += 1
    if not good:
        print(f"{what}: got {got!r}, want {want!r}")


def policy(mode, age=86400, mx=("mx.good.test",)):
    return Page(f"version: STSv1\r\nmode: {mode}\r\n" + "".join(f"mx: {m}\r\n" for m in mx) + f"max_age: {age}\r\n")


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


def until(ask, want):
    """The answer, once it is the one wanted, or after a while."""
    end = time.monotonic() + 15
    while (got := ask()) != want and time.monotonic() < end:
        time.sleep(0.1)
    return got


def make(dns, web):
    records = "@ IN NS ns\nns IN A 127.0.0.1\n"
    for name in DOMAINS:
        records += f'_mta-sts.{name}.test. 1 IN TXT "v=STSv1; id=1"\nmta-sts.{name}.test. IN A {dns.ip}\n'
    records += f'_mta-sts.homeless.test. IN TXT "v=STSv1; id=1"\nmta-sts.silent.test. IN A {dns.ip}\n'
    records += f"mta-sts.gone.test. IN A {dns.ip}\n"
    # an address that leads to whoever sits beside us is none
    records += '_mta-sts.inside.test. IN TXT "v=STSv1; id=1"\nmta-sts.inside.test. IN A 169.254.169.254\n'
    dns.zone("test", records)
    dns.zone("open", f"@ IN NS ns\nns IN A 127.0.0.1\nmta-sts.unheard IN A {dns.ip}\n", sign=False)
    dns.zone(".", "@ IN NS ns.\nns. IN A 127.0.0.1\ntest. IN NS ns.test.\nns.test. IN A 127.0.0.1\n"
             "open. IN NS ns.open.\nns.open. IN A 127.0.0.1\n")
    pages = {
        "good": policy("enforce", mx=("mx.good.test", "*.good.test")),
        "second": policy("enforce"),
        "testing": policy("testing"),
        "none": policy("none"),
        "brief": policy("enforce", age=2),
        "later": policy("enforce"),
        "moved": Page("", 302, headers=[("Location", f"https://mta-sts.good.test:{web.port}{PATH}")]),
        "badname": policy("enforce"),
        "ownsign": policy("enforce"),
        "long": Page("version: STSv1\n" + "x: y\n" * 14000),
        "html": Page("version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 86400\n", type="text/html"),
        "broken": Page("version: STSv2\n"),
        "slow": Page(policy("enforce").body, slow=1.5),
        "hanging": Page("", slow=15),
        "many": Page(policy("enforce").body, slow=0.5),
        "changing": policy("testing"),
    }
    for name, page in pages.items():
        web.pages[f"mta-sts.{name}.test", PATH] = page
    web.pages["mta-sts.unheard.open", PATH] = web.pages["mta-sts.gone.test", PATH] = policy("enforce", age=604800)
    web.bad.add("mta-sts.badname.test")
    web.own.add("mta-sts.ownsign.test")


def asked(web, name):
    return web.asked.count(f"mta-sts.{name}.test")


def first(p, web):
    """What is said when nothing is kept yet."""
    for name, want in (
            ("good", "enforce 86400 mx.good.test *.good.test"),
            ("GOOD", "enforce 86400 mx.good.test *.good.test"),
            ("testing", "testing 86400 mx.good.test"),
            ("none", "none 86400 mx.good.test"),
            ("nobody", "none"),
            ("silent", "none"),
            ("homeless", UNKNOWN),
            ("inside", UNKNOWN),
            ("moved", UNKNOWN),
            ("badname", UNKNOWN),
            ("ownsign", UNKNOWN),
            ("long", UNKNOWN),
            ("html", UNKNOWN),
            ("broken", UNKNOWN),
            ("lost", UNKNOWN)):
        check(name, p.say(f"ask {name}.test"), want)
    check("kept, not asked for again", asked(web, "good"), 1)
    check("the redirect was not followed", asked(web, "moved"), 1)
    for name, want in (("moved", "9 HTTP status 302"), ("lost", "9 HTTP status 404"),
                       ("homeless", "9 the host has no address for us"), ("inside", "9 the host has no address for us"),
                       ("broken", "10 not a policy"), ("html", "10 not text/plain"),
                       ("long", "10 the answer is too long")):
        check(f"why of {name}", p.say(f"noted {name}.test"), want)
    for name in ("badname", "ownsign"):
        check(f"why of {name}", p.say(f"noted {name}.test")[:3], "11 ")


def together(p, web):
    """Concurrent askers share one fetch; who cannot wait finds the policy the next time."""
    check("ten at once", p.say("asks 10 many.test"), "10 enforce")
    check("one fetch", asked(web, "many"), 1)
    check("no time", p.say("hurry 200 slow.test"), UNKNOWN)
    good = "enforce 86400 mx.good.test"
    check("fetched meanwhile", until(lambda: p.say("hurry 1000 slow.test"), good), good)
    check("in one fetch", asked(web, "slow"), 1)


def failing(p, web):
    """Failures are remembered; what is kept counts while the policy host is away."""
    before = asked(web, "lost")
    check("failed lately", p.say("ask lost.test"), UNKNOWN)
    check("left alone", asked(web, "lost"), before)
    for name in ("later", "brief", "changing", "second"):
        p.say(f"ask {name}.test")
    port = web.port
    web.stop()
    check("kept", p.say("ask later.test"), "enforce 86400 mx.good.test")
    check("another id, not to be had", p.say("id later.test 2") and p.say("ask later.test"), "enforce 86400 mx.good.test")
    time.sleep(2.1)
    check("expired", p.say("ask brief.test"), UNKNOWN)
    web.start(port)


def renewed(p, web):
    """The refresh of each day, and what a changed id does."""
    web.pages["mta-sts.changing.test", PATH] = policy("enforce")
    check("the same id", p.say("ask changing.test"), "testing 86400 mx.good.test")
    p.say("id changing.test 0")
    check("another id", p.say("ask changing.test"), "enforce 86400 mx.good.test")
    web.pages["mta-sts.second.test", PATH] = policy("testing")
    before = asked(web, "second")
    check("young", p.say("refresh"), "ok")
    check("not refreshed", (asked(web, "second"), p.say("ask second.test")), (before, "enforce 86400 mx.good.test"))
    p.say("age second.test 42000")
    p.say("refresh")
    check("within half of its time", asked(web, "second"), before)
    web.pages["mta-sts.second.test", PATH] = policy("testing", age=604800)
    p.say("age second.test 1300")
    p.say("refresh")
    want = before + 1, "testing 604800 mx.good.test"
    check("refreshed", until(lambda: (asked(web, "second"), p.say("ask second.test")), want), want)
    # a week's policy: daily
    p.say("age second.test 86000")
    p.say("refresh")
    check("within the day", asked(web, "second"), before + 1)
    p.say("age second.test 1000")
    p.say("refresh")
    check("after the day", until(lambda: asked(web, "second"), before + 2), before + 2)
    # the record is kept from us, and the web server answers
    before = asked(web, "good")
    p.say("copy good.test unheard.open")
    p.say("age unheard.open 50000")
    p.say("refresh")
    got = until(lambda: web.asked.count("mta-sts.unheard.open"), 1), p.say("ask unheard.open")
    check("no record, a policy", got, (1, "enforce 604800 mx.good.test"))
    p.say("copy good.test gone.test")
    p.say("age gone.test 50000")
    p.say("refresh")
    check("no record, and that is proven", (p.say("ask gone.test"), asked(web, "gone")),
          ("enforce 86400 mx.good.test *.good.test", 0))


def main():
    if missing():
        print("not there:", *missing())
        return 77
    with tempfile.TemporaryDirectory(prefix="tecsmail-sts-") as home, Zones(home) as dns, Https(home, dns.ip) as web:
        make(dns, web)
        dns.start()
        p = Program([sys.argv[1], dns.ip, str(dns.port), str(dns.anchor), str(web.ca), str(web.port)])
        for part in (first, together, failing, renewed):
            part(p, web)
        p.say("hurry 300 hanging.test")
        began = time.monotonic()
        check("its end", p.end(), 0)
        check("soon, with a fetch under way", time.monotonic() - began < 8, True)
        print(f"it ended after {time.monotonic() - began:.1f} s")
    print(f"{counts['passed']} checks passed, {counts['failed']} failed")
    return 1 if counts["failed"] else 0


sys.exit(main())
