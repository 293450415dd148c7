# SPDX-License-Identifier: ISC
"""DANE, MTA-STS, and what our users want guaranteed: who is proven gets the mail, who is not does
not."""
import contextlib
import json
import re
import time

from harness import check, equal, message, scenario, wait_until
from inward import finger
from out import came, gather, mail, report, reports, stays, submit
from scripted import EXTENSIONS, Scripted
from servers import Nginx
from world import HOST, MX, POLICIES, STS, TLSA, place

SIGNED = "signed.example"
WRONG_TLSA = "_25._tcp.{host}. IN TLSA 3 1 1 " + "ab" * 32 + "\n"
DANE = {name: place(name, SIGNED, MX + HOST + rows) for name, rows in {
    "dane-good": TLSA,
    "dane-wrong": WRONG_TLSA,
    "dane-two": WRONG_TLSA + TLSA,
    "dane-cname": "_25._tcp.{host}. IN CNAME _tlsa.{host}.\n_tlsa.{host}. IN TLSA 3 1 1 {spki}\n",
    "dane-none": "",
    "dane-unusable": "_25._tcp.{host}. IN TLSA 1 1 1 {spki}\n",
    "dane-ta": "_25._tcp.{host}. IN TLSA 2 1 1 {authority}\n",
    "dane-ta-name": "_25._tcp.{host}. IN TLSA 2 1 1 {authority}\n",
    "dane-no-tls": TLSA}.items()}
DANE_EXPIRED = place("dane-expired", "expired.example", MX + HOST + TLSA)
DANE_INSECURE = place("dane-insecure", rows=MX + HOST + WRONG_TLSA)


DANE_TAKE = {"dane-good", "dane-two", "dane-cname", "dane-ta", "dane-none", "dane-unusable", "insecure"}
DANE_UNPROVEN = {"dane-none", "dane-unusable", "insecure"}


def dane_cert(ours, name, host):
    """What the server of this place shows."""
    ca = ours.world.ca
    return {"dane-no-tls": lambda: None,
            "dane-none": lambda: ca.self_signed(host), "dane-unusable": lambda: ca.self_signed(host),
            "dane-ta": lambda: ca.issue(host, chain=True),
            "dane-ta-name": lambda: ca.issue("another.example", chain=True)}.get(
                name, lambda: ours.world.good)()


@scenario()
def dane(ours):
    """The key of the TLSA record or nothing; where DNSSEC does not say that there is one, TLS
    without a proof; where its signatures are over, nothing. Postfix comes to the same results."""
    user, where = ours.user("dane"), {**DANE, "expired": DANE_EXPIRED, "insecure": DANE_INSECURE}
    octets = message("dane", sender=user.address)
    ident = re.search(rb"(?m)^Message-ID: <(.*)>", octets).group(1).decode()
    with contextlib.ExitStack() as stack:
        peers = {name: stack.enter_context(Scripted(p.ip, name=p.host, cert=dane_cert(ours, name, p.host)))
                 for name, p in where.items()}
        submit(ours, user, [f"you@{p.domain}" for p in where.values()], octets)
        got = gather({n: lambda n=n: peers[n].mails for n in DANE_TAKE}, 20)
        check(all(m.tls for mails in got.values() for m in mails), "in clear")
        never = where.keys() - DANE_TAKE
        stays(lambda: not any(peers[n].mails for n in never), 3,
              lambda: f"taken by {[n for n in never if peers[n].mails]}")
        check(peers["dane-wrong"].said("STARTTLS") and not peers["dane-wrong"].said("MAIL"), "no try")
        check(not peers["dane-no-tls"].said("MAIL"), "MAIL in clear where TLSA is")
        equal(len(peers["expired"].sessions), 0, "connections where the DNS lies")
        for name, p in where.items():
            said = finger(ours, "-l", "dane", p.domain)
            equal("Verified TLS connection established" in said, name in DANE_TAKE - DANE_UNPROVEN,
                  f"{name}: Postfix: {said}")
        # Who wants it to arrive in any case: RFC 8689 5.
        mail(ours, user, f"anyway@{where['dane-wrong'].domain}", "anyway", extra="TLS-Required: No\r\n")
        equal(came(peers["dane-wrong"])[0].rcpts, [f"anyway@{where['dane-wrong'].domain}"], "anyway")
    said, = json.loads(ours.order("queue", "receipt", "--json", ident))
    ways = {r["address"]: r["way"] for r in said["recipients"]}
    for name, p in where.items():
        equal(ways[f"you@{p.domain}"], "none" if name in never else
              "encrypted" if name in DANE_UNPROVEN else "dane", f"{name}: the way in its receipt")
    equal(reports(ours, user), [], "reports")


POLICY = "version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: {age}\n"
STS_PLACES = {name: place(f"sts-{name}", rows=MX + HOST + STS)
              for name in ("good", "any-mx", "badcert", "wrong-mx", "testing", "kept", "short", "broken-web")}


def policies(ours, without=()):
    """(names, certificate, text) for nginx: the policy hosts of the places."""
    sites = []
    for name, p in STS_PLACES.items():
        if name in without:
            continue
        mx = {"wrong-mx": "another.example", "testing": "another.example", "any-mx": "*.open.example"}
        text = POLICY.format(mode="testing" if name == "testing" else "enforce", mx=mx.get(name, p.host),
                             age=2 if name == "short" else 86400)
        path = ours.world.home / f"policy-{name}"
        path.write_text(text.replace("\n", "\r\n"))
        path.chmod(0o644)
        host = f"mta-sts.{p.domain}"
        cert = ours.world.ca.issue("another.example" if name == "broken-web" else host)
        sites.append((host, cert, f"location = /.well-known/mta-sts.txt {{ alias {path}; }}"))
    return sites


@scenario(90)
def mta_sts(ours):
    """The name that the policy knows, proven; a policy that was kept counts when its host has gone,
    until its time is over; one that only tests, or that cannot be had, changes nothing."""
    user, ca = ours.user("sts"), ours.world.ca
    web = Nginx(ours.world.home / "policies")
    with contextlib.ExitStack() as stack:
        stack.enter_context(web).run(POLICIES, policies(ours))
        peers = {name: stack.enter_context(Scripted(
            p.ip, name=p.host, cert=ca.self_signed(p.host) if name in ("badcert", "testing", "broken-web")
            else ours.world.good)) for name, p in STS_PLACES.items()}
        mail(ours, user, [f"you@{p.domain}" for p in STS_PLACES.values()], "sts")
        began = time.monotonic()
        gather({n: lambda n=n: peers[n].mails for n in STS_PLACES if n not in ("badcert", "wrong-mx")}, 20)
        stays(lambda: not peers["badcert"].mails and not peers["wrong-mx"].mails, 3, "not proven")
        check(not peers["wrong-mx"].said("MAIL") and not peers["badcert"].said("MAIL"), "MAIL")
        web.end()  # the host of the policies has gone; what was fetched counts
        kept, short = STS_PLACES["kept"], STS_PLACES["short"]
        peers["kept"].__exit__()
        peers["short"].__exit__()
        check(time.monotonic() - began > 2.5, "the short policy may not be over")
        with Scripted(kept.ip, name=kept.host, cert=ca.self_signed(kept.host)) as fake, \
                Scripted(short.ip, name=short.host, cert=ca.self_signed(short.host)) as over:
            mail(ours, user, [f"again@{kept.domain}", f"again@{short.domain}"], "kept")
            wait_until(lambda: fake.said("STARTTLS"), 20, "a try")
            came(over)
            stays(lambda: not fake.mails, 2, "an unproven server got it")
        with Scripted(kept.ip, name=kept.host, cert=ours.world.good) as true:
            equal(came(true)[0].rcpts, [f"again@{kept.domain}"], "recipient")
    equal(reports(ours, user), [], "reports")


REQUIRE = {name: place(f"require-{name}", SIGNED, MX + HOST + rows) for name, rows in {
    "good": TLSA, "not-offered": TLSA, "unproven": ""}.items()}


@scenario()
def requiretls(ours):
    """RFC 8689: proven, and the next server takes the duty over; else it comes back."""
    user = ours.user("require")
    with contextlib.ExitStack() as stack:
        peers = {name: stack.enter_context(Scripted(
            p.ip, name=p.host, cert=ours.world.good,
            extensions=EXTENSIONS if name == "not-offered" else (*EXTENSIONS, "REQUIRETLS")))
            for name, p in REQUIRE.items()}
        mail(ours, user, [f"you@{p.domain}" for p in REQUIRE.values()], "require", ["REQUIRETLS"])
        one = came(peers["good"])[0]
        check(" REQUIRETLS" in one.mail_line, one.mail_line)
        for name in "not-offered", "unproven":
            address = f"you@{REQUIRE[name].domain}"
            report(ours, user, address).expect(address, "failed", "5.7.")
            equal(peers[name].mails, [], name)


GUARD = {name: place(f"guard-{name}", SIGNED, MX + HOST + rows) for name, rows in {
    "clear": "", "tls": "", "proven": TLSA}.items()}


@scenario()
def what_an_account_has_guaranteed(ours):
    """Only encrypted, or only proven: what cannot be kept comes back with a sentence."""
    encrypted, proven = ours.user("encrypted"), ours.user("proven")
    ours.order("user", "set", encrypted.address, "--sending", "encrypted")
    ours.order("user", "set", proven.address, "--sending", "authenticated")
    with contextlib.ExitStack() as stack:
        peers = {name: stack.enter_context(Scripted(
            p.ip, name=p.host, cert=None if name == "clear" else ours.world.good)) for name, p in GUARD.items()}
        to = [f"you@{p.domain}" for p in GUARD.values()]
        mail(ours, encrypted, to, "only encrypted")
        mail(ours, proven, to, "only proven")
        for name, senders in ("tls", [encrypted]), ("proven", [encrypted, proven]):
            equal(sorted(m.sender for m in came(peers[name], len(senders))),
                  sorted(s.address for s in senders), name)
        for user, names in (encrypted, ["clear"]), (proven, ["clear", "tls"]):
            for name in names:
                address = f"you@{GUARD[name].domain}"
                report(ours, user, address).expect(address, "failed", "5.7.")
        stays(lambda: not peers["clear"].mails and len(peers["tls"].mails) == 1, 1, "not as guaranteed")
