#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""line_test.py PROGRAM - zones, other people's servers, and what line_test.c makes of them."""
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests"))
from mailhosts import Certificate, Hosts  # noqa: E402
from zones import Zones, missing  # noqa: E402

NOBODY = "127.1.2.3"  # no one listens there
US, US2 = "127.9.9.9", "127.9.9.8"


class Test:
    def __init__(self, program, dns, hosts, more):
        zones = [name for name, _ in dns.names]
        self.run = subprocess.Popen([program, dns.ip, str(dns.port), str(dns.anchor), hosts.authority.cert,
                                     str(hosts.port), *zones, *more], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, stderr=sys.stderr, text=True)
        self.checks = self.failed = 0

    def ask(self, *words):
        self.run.stdin.write(" ".join(words) + "\n")
        self.run.stdin.flush()
        return self.run.stdout.readline().rstrip("\n").split("\t")

    def open(self, destination, guard="any", flags="-", ms=8000, domain=""):
        """A word for the end, and what is known."""
        got = self.ask("open", destination, guard, flags, str(ms), domain)
        names = ("outcome", "code", "status", "host", "ip", "tls", "cipher", "group", "auth", "text")
        facts = dict(zip(names, got))
        facts["notes"] = got[len(names):]
        return facts

    def check(self, what, got, **want):
        """Each of want: the value, or for a text a part of it."""
        self.checks += 1
        wrong = {k: v for k, v in want.items() if (v not in got[k] if k in ("text", "notes") else got[k] != v)}
        if wrong:
            self.failed += 1
            print(f"{what}: want {wrong}\n    got {got}", file=sys.stderr)

    def true(self, what, that):
        self.checks += 1
        if not that:
            self.failed += 1
            print(f"{what}: not true", file=sys.stderr)

    def done(self):
        self.run.stdin.close()
        self.true("it ends well", self.run.wait(20) == 0)
        print(f"{self.checks} checks passed, {self.failed} failed" if not self.failed else f"{self.failed} failed")
        return 1 if self.failed else 0


class World:
    """Domains below a zone, each with servers of its own."""

    def __init__(self, hosts):
        self.hosts, self.text, self.host = hosts, {}, {}
        self.hole = hosts.hole()

    def add(self, zone, text):
        self.text[zone] = self.text.get(zone, "@ IN NS ns\nns IN A 127.0.0.1\n") + text

    def domain(self, zone, label, tlsa=None, names=None, **more):
        """label.zone, whose MX is mx.label.zone; tlsa(host) is the data of its record."""
        name = f"mx.{label}.{zone}"
        host = self.host[label] = self.hosts.host(*(names or [name]), **more)
        self.add(zone, f"{label} IN MX 10 mx.{label}\nmx.{label} IN {'AAAA' if ':' in host.ip else 'A'} {host.ip}\n")
        if tlsa:
            self.add(zone, f"_{self.hosts.port}._tcp.mx.{label} IN TLSA {tlsa(host)}\n")
        return host


def good(host):
    return host.tlsa()


def bad(_host):
    return "3 1 1 " + "5a" * 32


def signed(w):
    z = "signed.test"
    w.domain(z, "dane", good)
    w.domain(z, "name", good, names=["somebody.else.test"])
    w.domain(z, "wrong", bad)
    w.domain(z, "notlsa")
    issuer = w.hosts.authority.tlsa(2, 0)
    w.domain(z, "issued", lambda host: issuer, chain=True)
    w.domain(z, "issuedother", lambda host: issuer, chain=True, names=["somebody.else.test"])
    w.domain(z, "quiet", good)  # nobody tells it: a stub leads to a server that is silent
    w.domain(z, "unusable", lambda host: "0 0 1 " + "5a" * 32)
    # octets that only look like a whole certificate
    w.domain(z, "garbage", lambda host: "2 0 0 3003020105")
    w.domain(z, "nostarttls", good, starttls="no")
    w.domain(z, "broken", good, starttls="broken")
    w.domain(z, "clear", starttls="no")
    w.domain(z, "requires", good, offers=("REQUIRETLS", "8BITMIME"))
    w.add(z, "cname IN MX 10 alias\nalias IN CNAME mx.dane\n")
    # RFC 7672 2.2.2: the alias is proven, where it leads is not
    w.add(z, f"out IN MX 10 away\naway IN CNAME mx.tls.open.test.\n_{w.hosts.port}._tcp.away IN TLSA "
             f"{w.host['tls'].tlsa()}\n")
    w.add(z, "second IN MX 10 mx.wrong\nsecond IN MX 20 mx.dane\n")
    w.add(z, "null IN MX 0 .\n")
    w.add(z, f"nomx IN A {w.host['notlsa'].ip}\n")
    w.add(z, "empty IN TXT hello\nnoaddr IN MX 10 nowhere\nnoaddr IN MX 20 empty\n")
    w.add(z, "loop IN MX 10 us.example.\nloop IN MX 20 mx.dane\n")
    w.add(z, f"loopip IN MX 10 here\nhere IN A {US}\nloopip IN MX 20 mx.dane\n")
    w.add(z, "behind IN MX 10 dead\nbehind IN MX 20 us.example.\nbehind IN MX 30 mx.dane\n")
    w.add(z, f"dead IN A {NOBODY}\nfirst IN MX 10 dead\nfirst IN MX 20 mx.dane\nalone IN MX 10 dead\n")
    w.add(z, f"twin IN MX 10 both\nboth IN A {NOBODY}\nboth IN A {w.host['notlsa'].ip}\n")


def unsigned(w):
    z = "open.test"
    w.domain(z, "tls")
    w.domain(z, "plain", starttls="no")
    w.domain(z, "selfsigned", cert=Certificate(w.hosts.folder, "self", ["other.name.test"]))
    w.domain(z, "expired", cert=w.hosts.certificate("mx.expired.open.test", expired=True))
    w.domain(z, "brokentls", starttls="broken")
    w.domain(z, "hangup", starttls="hangup")
    w.domain(z, "stuck", starttls="stuck")
    w.domain(z, "norefused", starttls="refused")
    w.domain(z, "older", ciphers="ECDHE+AESGCM")
    w.domain(z, "weak", ciphers="AES128-SHA", cert=w.hosts.certificate("mx.weak.open.test", rsa=True))
    w.domain(z, "busy", greeting="421 4.3.2 too busy")
    w.domain(z, "closed", greeting="554 5.3.2 nothing here")
    w.domain(z, "mute", greeting="")
    w.domain(z, "relay", offers=("AUTH PLAIN", "8BITMIME"))
    w.domain(z, "badlogin", offers=("AUTH PLAIN",), answer=lambda session, line: "535 5.7.8 no"
             if line.startswith("AUTH") else None)
    w.add(z, "firstbusy IN MX 10 mx.busy\nfirstbusy IN MX 20 mx.closed\n")
    w.add(z, "firstclosed IN MX 10 mx.closed\nfirstclosed IN MX 20 mx.tls\n")
    w.add(z, f"six IN MX 10 dual\ndual IN AAAA ::1\ndual IN A {w.host['tls'].ip}\n")
    w.add(z, f"_{w.hosts.port}._tcp.mx.tls IN TLSA {bad(None)}\n")
    w.add(z, f"hole IN MX 10 half\nhalf IN A {w.host['tls'].ip}\nhalf IN A {w.hole}\n")


def policies(w):
    z = "policy.test"
    for label in ("enforced", "tested", "other", "unknown"):
        w.domain(z, label)
    w.domain(z, "impostor", names=["somebody.else.test"])
    w.domain(z, "testimpostor", names=["somebody.else.test"])
    w.domain(z, "noencryption", starttls="no")


def make(dns, w):
    unsigned(w)
    policies(w)
    signed(w)
    w.domain("forged.test", "mail", good)
    w.domain("late.test", "mail", good)
    dns.zone("signed.test", w.text["signed.test"])
    dns.zone("open.test", w.text["open.test"], sign=False)
    dns.zone("policy.test", w.text["policy.test"], sign=False)
    dns.zone("late.test", w.text["late.test"], expired=True)
    dns.zone("forged.test", w.text["forged.test"], after=lambda text: re.sub(
        r"(?i)(\sTLSA\s+3\s+1\s+1\s+)[0-9a-f]{4}", r"\g<1>abcd", text))
    zones = ("signed", "open", "policy", "late", "forged", "silent")
    names = "".join(f"{name}.test. IN NS ns.{name}.test.\nns.{name}.test. IN A 127.0.0.1\n" for name in zones)
    dns.zone(".", "@ IN NS ns.\nns. IN A 127.0.0.1\n" + names)


def test_routes(t):
    t.check("no domain", t.open("gone.signed.test"), outcome="refused", status="5.1.2", text="no such domain")
    t.check("null MX", t.open("null.signed.test"), outcome="refused", status="5.1.10", text="takes no mail")
    t.check("no MX", t.open("nomx.signed.test"), outcome="open", host="nomx.signed.test")
    t.check("no MX, no address", t.open("empty.signed.test"), outcome="refused", status="5.1.2")
    t.check("MX without address", t.open("noaddr.signed.test"), outcome="refused", status="5.4.4")
    t.check("we are the best", t.open("loop.signed.test"), outcome="refused", status="5.4.6", text="come back")
    t.check("we, by address", t.open("loopip.signed.test"), outcome="refused", status="5.4.6", host="here.signed.test")
    t.check("we are the second", t.open("behind.signed.test"), outcome="unreached", status="4.4.1",
            host="dead.signed.test")
    t.check("first host dead", t.open("first.signed.test"), outcome="open", host="mx.dane.signed.test")
    t.check("only host dead", t.open("alone.signed.test"), outcome="unreached", status="4.4.1")
    t.check("one address dead", t.open("twin.signed.test"), outcome="open", host="both.signed.test")
    t.check("expired signatures", t.open("mail.late.test"), outcome="later", status="4.7.5", text="signatures")
    t.check("a DNS that is silent", t.open("mail.silent.test", ms=1500), outcome="later", status="4.4.3")
    t.check("no name at all", t.open("a..b"), outcome="refused", status="5.1.2")


def test_greetings(t):
    t.check("busy", t.open("busy.open.test"), outcome="later", code="421", status="4.3.2", text="too busy")
    t.check("closed", t.open("closed.open.test"), outcome="refused", code="554", status="5.3.2")
    t.check("busy counts more than closed", t.open("firstbusy.open.test"), outcome="later", code="421")
    t.check("closed, then open", t.open("firstclosed.open.test"), outcome="open", host="mx.tls.open.test")
    t.check("mute", t.open("mute.open.test"), outcome="unreached", status="4.4.2", text="in time")


def test_dane(t):
    dane = dict(outcome="open", auth="dane", tls="TLSv1.3")
    t.check("DANE", t.open("dane.signed.test"), host="mx.dane.signed.test", **dane)
    t.check("DANE-EE, another name", t.open("name.signed.test"), **dane)
    t.check("DANE-TA", t.open("issued.signed.test"), **dane)
    t.check("DANE-TA, another name", t.open("issuedother.signed.test"), outcome="unreached", status="4.7.5")
    t.check("by way of a CNAME", t.open("cname.signed.test"), host="alias.signed.test", **dane)
    t.check("a proven CNAME leads out", t.open("out.signed.test"), host="away.signed.test", **dane)
    t.check("wrong key", t.open("wrong.signed.test"), outcome="unreached", status="4.7.5", text="prove")
    t.check("wrong key, second host", t.open("second.signed.test"), host="mx.dane.signed.test", **dane)
    t.check("no TLSA", t.open("notlsa.signed.test"), outcome="open", auth="opportunistic")
    t.check("no TLSA, no TLS", t.open("clear.signed.test"), outcome="open", auth="plain", tls="")
    t.check("unusable TLSA", t.open("unusable.signed.test"), outcome="open", auth="opportunistic")
    t.check("TLSA of no certificate", t.open("garbage.signed.test"), outcome="open", auth="opportunistic")
    t.check("which proves nothing", t.open("garbage.signed.test", "authenticated"), outcome="refused", status="5.7.4")
    t.check("TLSA, no STARTTLS", t.open("nostarttls.signed.test"), outcome="unreached", status="4.7.10")
    t.check("TLSA, broken TLS", t.open("broken.signed.test"), outcome="unreached", status="4.7.10")
    t.check("forged TLSA", t.open("mail.forged.test"), outcome="later", status="4.7.5")
    t.check("TLSA not told", t.open("quiet.signed.test", ms=1500), outcome="later", status="4.4.3",
            host="mx.quiet.signed.test")
    t.check("TLSA of an unsigned zone", t.open("tls.open.test"), outcome="open", auth="opportunistic")


def test_opportunistic(t):
    tls = dict(outcome="open", auth="opportunistic", tls="TLSv1.3")
    t.check("TLS", t.open("tls.open.test"), **tls)
    t.check("not offered", t.open("plain.open.test"), outcome="open", auth="plain")
    t.check("self-signed", t.open("selfsigned.open.test"), **tls)
    t.check("expired", t.open("expired.open.test"), **tls)
    for label in ("brokentls", "hangup", "stuck", "norefused"):
        t.check(label, t.open(f"{label}.open.test"), outcome="open", auth="plain")
    t.check("TLS 1.2", t.open("older.open.test"), outcome="open", auth="opportunistic", tls="TLSv1.2")
    t.check("no ECDHE is no TLS", t.open("weak.open.test"), outcome="open", auth="plain")
    t.check("IPv6 before IPv4", t.open("six.open.test"), ip="::1", **tls)


def test_guards(t):
    t.check("encrypted", t.open("selfsigned.open.test", "encrypted"), outcome="open", auth="opportunistic")
    t.check("not offered", t.open("plain.open.test", "encrypted"), outcome="refused", status="5.7.10")
    t.check("broken", t.open("brokentls.open.test", "encrypted"), outcome="unreached", status="4.7.10")
    t.check("refused", t.open("norefused.open.test", "encrypted"), outcome="later", code="454")
    t.check("no proof", t.open("tls.open.test", "authenticated"), outcome="refused", status="5.7.4")
    t.check("DANE", t.open("dane.signed.test", "authenticated"), outcome="open", auth="dane")
    t.check("no proof because of the DNS", t.open("mail.late.test", "authenticated"), outcome="later")
    t.check("REQUIRETLS", t.open("requires.signed.test", flags="r"), outcome="open", auth="dane")
    t.check("REQUIRETLS not offered", t.open("dane.signed.test", flags="r"), outcome="refused", status="5.7.30")
    t.check("REQUIRETLS without proof", t.open("tls.open.test", flags="r"), outcome="refused", status="5.7.4")
    t.check("TLS-Required: No", t.open("wrong.signed.test", flags="o"), outcome="open", auth="opportunistic")
    t.check("not against a guard", t.open("wrong.signed.test", "encrypted", flags="o"), outcome="unreached")
    t.check("least of the operator", t.open("plain.open.test", domain="plain.strict.test"), outcome="refused")
    t.check("exception of the operator", t.open("plain.open.test", domain="lax.strict.test"), outcome="open")


def test_policies(t):
    for label, mode in (("enforced", "enforce"), ("tested", "testing"), ("impostor", "enforce"),
                        ("testimpostor", "testing"), ("noencryption", "enforce")):
        t.ask("policy", f"{label}.policy.test", mode, f"mx.{label}.policy.test")
    t.ask("policy", "other.policy.test", "enforce", "*.elsewhere.test")
    t.ask("policy", "unknown.policy.test", "unknown")
    t.ask("policy", "wrong.signed.test", "enforce", "mx.wrong.signed.test")
    t.check("enforced", t.open("enforced.policy.test"), outcome="open", auth="sts")
    t.check("enforced", t.open("enforced.policy.test", "authenticated"), outcome="open", auth="sts")
    t.check("under test", t.open("tested.policy.test"), outcome="open", auth="opportunistic")
    t.check("under test, guarantee", t.open("tested.policy.test", "authenticated"), outcome="open", auth="sts")
    t.check("another host", t.open("other.policy.test"), outcome="later", status="4.7.5", text="policy")
    t.check("unknown", t.open("unknown.policy.test"), outcome="open", auth="opportunistic")
    t.check("unknown, guarantee", t.open("unknown.policy.test", "authenticated"), outcome="later", status="4.7.4")
    t.check("impostor", t.open("impostor.policy.test"), outcome="unreached", status="4.7.5")
    t.check("impostor under test", t.open("testimpostor.policy.test"), outcome="open", auth="opportunistic")
    t.check("no STARTTLS", t.open("noencryption.policy.test"), outcome="unreached", status="4.7.10")
    t.check("TLS optional", t.open("noencryption.policy.test", flags="o"), outcome="open", auth="plain")
    t.check("DANE goes before it", t.open("wrong.signed.test"), outcome="unreached", status="4.7.5")


def test_notes(t, w):
    def noted(domain, policy, result, host=None, **more):
        host = host or f"mx.{domain}"
        label = domain.split(".")[0]
        ip = "" if result == "dnssec" or label == "other" else w.host[label].ip
        want = f"{domain}/{policy}/{host}/{ip}/{result}"
        t.true(f"{domain} {more}: {want}", t.open(domain, **more)["notes"] == [want])

    noted("dane.signed.test", "tlsa", "ok")
    noted("wrong.signed.test", "tlsa", "failure")
    noted("unusable.signed.test", "tlsa", "tlsa")
    noted("nostarttls.signed.test", "tlsa", "nostarttls")
    noted("broken.signed.test", "tlsa", "failure")
    noted("mail.forged.test", "tlsa", "dnssec")
    noted("tls.open.test", "none", "ok")
    noted("expired.open.test", "none", "ok")
    noted("plain.open.test", "none", "nostarttls")
    noted("norefused.open.test", "none", "nostarttls")
    noted("brokentls.open.test", "none", "failure")
    noted("hangup.open.test", "none", "failure")
    noted("enforced.policy.test", "sts", "ok")
    noted("tested.policy.test", "sts", "ok")
    noted("impostor.policy.test", "sts", "mismatch")
    noted("testimpostor.policy.test", "sts", "mismatch")
    noted("other.policy.test", "sts", "failure")
    noted("noencryption.policy.test", "sts", "nostarttls")
    noted("plain.open.test", "none", "nostarttls", guard="encrypted")
    t.true("nothing came to TLS", t.open("busy.open.test")["notes"] == [])
    t.true("no domain of anybody's", t.open(f"[{w.host['tls'].ip}]")["notes"] == [])


def test_given(t, w, mute):
    tls, relay = w.host["tls"], w.host["relay"]
    t.check("[address]", t.open(f"[{tls.ip}]"), outcome="open", ip=tls.ip, auth="opportunistic")
    t.check("[name]", t.open("[mx.tls.open.test]"), outcome="open", ip=tls.ip, auth="opportunistic")
    t.check("[IPv6]", t.open("[IPv6:::1]"), outcome="open", ip="::1")
    t.check("[name:port]", t.open(f"[mx.tls.open.test:{mute}]", ms=2000), outcome="unreached")
    t.check("[name], no proof", t.open("[mx.notlsa.signed.test]", "authenticated"), outcome="refused", status="5.7.4")
    t.check("[name], encrypted", t.open("[mx.plain.open.test]", "encrypted"), outcome="refused", status="5.7.10")
    t.check("[name], DANE", t.open("[mx.dane.signed.test]", "authenticated"), outcome="open", auth="dane")
    t.check("[name], DANE, wrong key", t.open("[mx.wrong.signed.test]"), outcome="unreached", status="4.7.5")
    t.check("[we]", t.open(f"[{US2}]"), outcome="refused", status="5.4.6")
    t.check("a relay on this machine", t.open("x.ourrelay.test"), outcome="unreached", status="4.4.1")
    t.check("[no name]", t.open("[mx.gone.signed.test]"), outcome="refused", status="5.4.4")

    t.check("a relay of the configuration", t.open("x.relayed.test"), outcome="open", auth="name",
            host="mx.relay.open.test")
    said = relay.sessions[-1].commands
    t.true("login after TLS alone", said[:2] == ["EHLO us.example", "STARTTLS"] and
           said[3] == "AUTH PLAIN AG1lAHNlY3JldA==")
    t.check("it stands for itself too", t.open("[mx.relay.open.test]", "authenticated"), outcome="open", auth="name")
    count = len(tls.sessions)
    t.check("a relay that is not whom it should be", t.open("x.wrongrelay.test"), outcome="unreached",
            status="4.7.5", text="prove")
    t.true("and hears no password", "AUTH" not in " ".join(w.host["selfsigned"].sessions[-1].commands))
    t.true("nobody else is asked", len(tls.sessions) == count)
    t.check("TLS from the first octet", t.open("x.atonce.test"), outcome="open", auth="name")
    t.check("a relay without login", t.open("x.openrelay.test"), outcome="open", auth="opportunistic")
    t.check("a relay by its name", t.open("x.openrelay.test", "authenticated"), outcome="open", auth="name")
    t.check("a relay without TLS", t.open("x.clearrelay.test"), outcome="open", auth="plain")
    t.ask("policy", "mx.plain.open.test", "enforce", "mx.plain.open.test")
    t.check("which has a policy", t.open("x.clearrelay.test"), outcome="unreached", status="4.7.10")
    t.ask("policy", "mx.tls.open.test", "enforce", "mx.tls.open.test")
    t.check("a relay with a policy", t.open("x.openrelay.test"), outcome="open", auth="name")
    t.check("a relay without TLS, but a login", t.open("x.clearlogin.test"), outcome="unreached", status="4.7.10")
    t.check("a login that is refused", t.open("x.badlogin.test"), outcome="later", code="535", status="5.7.8")


def test_serves(t):
    def serves(guard, flags="-", domain="", to=""):
        return t.ask("serves", guard, flags, "0", domain, to)[0] == "yes"

    def row(*want, **more):
        t.open(*want[:1], **more)
        got = [serves("any"), serves("encrypted"), serves("authenticated"), serves("any", "r"), serves("any", "o")]
        t.true(f"{want[0]}: {got}", got == [c == "1" for c in want[1]])

    row("plain.open.test", "10001")
    row("tls.open.test", "11001")
    row("dane.signed.test", "11101")
    row("requires.signed.test", "11111")
    row("enforced.policy.test", "11101")
    row("wrong.signed.test", "00001", flags="o")
    t.open("tls.open.test")
    t.true("another destination", not serves("any", to="dane.signed.test"))
    t.true("the same by a relay", not serves("any", to="x.openrelay.test"))
    t.open("x.relayed.test")
    t.true("the same relay", serves("authenticated", to="y.relayed.test"))
    t.true("the same relay by its name", serves("any", to="[mx.relay.open.test]"))
    t.true("another relay", not serves("any", to="x.openrelay.test"))
    t.true("no relay", not serves("any", to="relay.open.test"))
    t.open("tls.open.test")
    t.ask("older", "60000")
    t.true("still", serves("any"))
    for _ in range(4):
        t.ask("older", "60000")
    t.true("what was true five minutes ago", not serves("any"))
    t.open("tls.open.test")
    t.true("least of another domain", not serves("any", domain="proven.strict.test"))


def test_late(t, w):
    """An address that does not answer: the other is asked a moment later. Chance has the order."""
    for _ in range(6):
        began = time.monotonic()
        t.check("a black hole", t.open("hole.open.test"), outcome="open", ip=w.host["tls"].ip)
        took = time.monotonic() - began
        t.true(f"{took:.2f} s", took < 2.5)
    t.check("nothing else", t.open(f"[{w.hole}]", ms=1500), outcome="unreached", status="4.4.1", ip=w.hole)


def test_canceled(t):
    """Wherever they are just then: in the DNS, at the connection, the greeting, the handshake."""
    began = time.monotonic()
    for ms in 0, 1, 3, 10, 30, 100, 300:
        got = t.ask("cancel", str(ms), "mute.open.test", "hole.open.test", "quiet.signed.test", "dane.signed.test",
                    "stuck.open.test", "brokentls.open.test", "second.signed.test", "mail.silent.test",
                    "enforced.policy.test", "x.relayed.test")
        t.true(f"{ms}: {got}", got == ["ok"])
    t.true("soon", time.monotonic() - began < 6)
    t.check("and on it goes", t.open("dane.signed.test"), outcome="open", auth="dane")


def settings(t, hosts, w):
    """What the operator has set up."""
    t.ask("own", US)
    t.ask("own", US2)
    t.ask("least", "lax.strict.test", "any")
    t.ask("least", "proven.strict.test", "authenticated")
    t.ask("least", "*.strict.test", "encrypted")
    port = str(hosts.port)
    at = hosts.address()
    atonce = hosts.host(ip=at, cert=hosts.certificate(at), tls=True, offers=("AUTH PLAIN",))
    for pattern, host, at, *login in (
            ("*.relayed.test", "mx.relay.open.test", port, "me", "secret"),
            ("*.wrongrelay.test", "mx.selfsigned.open.test", port, "me", "secret"),
            ("*.atonce.test", atonce.ip, port, "me", "secret", "tls"),
            ("*.openrelay.test", "mx.tls.open.test", port),
            ("*.clearrelay.test", "mx.plain.open.test", port),
            ("*.clearlogin.test", w.host["plain"].ip, port, "me", "secret"),
            ("*.ourrelay.test", US, port),
            ("*.badlogin.test", "mx.badlogin.open.test", port, "me", "secret")):
        t.ask("relay", pattern, host, at, *(login or ["-", "-"]))
    return w


def test_expect(t):
    for label, mode in (("enforced", "enforce"), ("tested", "testing"), ("unknown", "unknown")):
        t.ask("policy", f"{label}.policy.test", mode, f"mx.{label}.policy.test")
    day, some_hours, hour, minutes = 86400, 6 * 3600, 3600, 300
    for domain, proof, counts in (
            ("dane.signed.test", "dane", day), ("cname.signed.test", "dane", day), ("out.signed.test", "dane", day),
            ("wrong.signed.test", "dane", day),  # what is promised: the line will tell
            ("notlsa.signed.test", "none", some_hours), ("unusable.signed.test", "none", some_hours),
            ("tls.open.test", "none", some_hours), ("null.signed.test", "no-mail", hour),
            ("gone.signed.test", "no-mail", hour), ("empty.signed.test", "no-mail", hour),
            ("mail.late.test", "none", minutes), ("mail.forged.test", "none", minutes),
            ("enforced.policy.test", "mta-sts", day), ("tested.policy.test", "none", some_hours),
            ("unknown.policy.test", "none", minutes), ("loop.signed.test", "none", minutes),
            ("a..b", "no-mail", hour), ("x.relayed.test", "smart-host", hour)):
        t.check(f"expect {domain}", dict(zip(("proof", "counts"), t.ask("expect", domain, "3000"))),
                proof=proof, counts=str(counts))
    began = time.monotonic()
    t.check("a DNS that is silent", dict(zip(("proof", "counts"), t.ask("expect", "mail.silent.test", "500"))),
            proof="none", counts=str(minutes))
    t.true("in time", time.monotonic() - began < 2)
    got = t.ask("want", "dane.signed.test", "null.signed.test", "notlsa.signed.test")
    t.true(f"by way of a store: {got}", got == ["dane", str(day), "no-mail", str(hour), "none", str(some_hours)])


def main():
    if missing():
        print("not there:", *missing())
        return 77
    with tempfile.TemporaryDirectory(prefix="tecsmail-line-") as home, Zones(home) as dns, Hosts(home) as hosts, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        w = World(hosts)
        make(dns, w)
        hosts.host("dual.open.test", ip="::1")
        dns.start()
        silent.bind((dns.ip, 0))
        mute = silent.getsockname()[1]  # of UDP alone
        t = Test(sys.argv[1], dns, hosts, [f"silent.test={mute}", f"_tcp.mx.quiet.signed.test={mute}"])
        w = settings(t, hosts, w)
        for test, more in ((test_routes, ()), (test_greetings, ()), (test_dane, ()), (test_opportunistic, ()),
                           (test_guards, ()), (test_policies, ()), (test_notes, (w,)), (test_given, (w, mute)),
                           (test_serves, ()), (test_late, (w,)), (test_canceled, ()), (test_expect, ())):
            began = time.monotonic()
            test(t, *more)
            print(f"{test.__name__} {time.monotonic() - began:.1f} s")
        return t.done()


sys.exit(main())
