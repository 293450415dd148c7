# SPDX-License-Identifier: ISC
"""Our users' mail to other servers: what honest ones take, and what the others make of it."""
import contextlib
import email
import json
import time

import space
from harness import check, equal, message, scenario, wait_until
from inward import EXIM, POSTFIX, arrived, exim, postfix
from out import Report, came, gather, mail, report, reports, stays, submit
from scripted import CLOSE, DRIBBLE, EXTENSIONS, OK, RESET, SILENT, Scripted
from world import HOST, OURS, place

LATER = "451 4.7.1 come back later"


def places(prefix, names):
    return {name: place(f"{prefix}-{name.lower() or 'greeting'}") for name in names}


PLAIN, TLS13, TLS12, REQUIRED, EXPIRED, WRONG, SELF, BROKEN = (
    place(name) for name in ("clear", "tls13", "tls12", "tls-only", "cert-expired", "cert-wrong",
                             "cert-self", "handshake"))


@scenario()
def encrypted_where_the_other_side_can(ours):
    """In clear, STARTTLS, TLS only, broken certificates; where the handshake fails, in clear."""
    ca, user = ours.world.ca, ours.user("tls")
    with contextlib.ExitStack() as stack:
        peers = {place: stack.enter_context(Scripted(place.ip, name=place.host, **how))
                 for place, how in (
            (PLAIN, {}), (TLS13, {"cert": ours.world.good}),
            (TLS12, {"cert": ours.world.good, "tls12": True}),
            (REQUIRED, {"cert": ours.world.good, "require_tls": True}),
            (EXPIRED, {"cert": ca.issue(EXPIRED.host, days=-1)}),
            (WRONG, {"cert": ca.issue("another.example")}),
            (SELF, {"cert": ca.self_signed(SELF.host)}),
            (BROKEN, {"cert": ours.world.good, "say": {"TLS": b"no TLS, sorry\r\n"}}))}
        octets = message("by all ways", "Zeile\r\n.\r\n..dots\r\n", sender=user.address)
        submit(ours, user, [f"you@{p.domain}" for p in peers], octets)
        got = gather({p.domain: lambda s=s: s.mails for p, s in peers.items()}, 20)
        for p in peers:
            one, = got[p.domain]
            equal((one.sender, one.rcpts), (user.address, [f"you@{p.domain}"]), p.domain)
            check(one.body.endswith(b"\r\n\r\nZeile\r\n.\r\n..dots\r\n"), f"{p.domain}: {one.body[-99:]}")
            check(b"DKIM-Signature: " in one.body and b"Return-Path" not in one.body, f"{one.body[:600]}")
            if p in (PLAIN, BROKEN):
                equal(one.tls, None, f"{p.domain} has no TLS")
            else:
                check(one.tls, f"{p.domain}: in clear")
                equal(one.tls[0], "TLSv1.2" if p is TLS12 else "TLSv1.3", p.domain)
                check("GCM" in one.tls[1] or "CHACHA20" in one.tls[1], one.tls)


@scenario()
def real_servers_take_it(ours):
    """Postfix and Exim, over TLS; several recipients in one transaction."""
    for place, mta in (POSTFIX, postfix(ours)), (EXIM, exim(ours)):
        user = ours.user("real")
        to = [f"{n}@{place.domain}" for n in "abc"]
        mail(ours, user, to, "to a real one")
        got = [mta.wait(address)[0] for address in to]
        check(all(b"TLSv1.3" in g or b"TLS1.3" in g for g in got), f"{got[0][:900]}")
        if place is POSTFIX:
            check("nrcpt=3 " in mta.words(), "not one transaction")


FOUR = places("later", ("", "EHLO", "MAIL", "RCPT", "DATA", "BODY"))


@scenario()
def four_and_then_two(ours):
    """A server that says 4xx once, at each command: the mail arrives once, soon."""
    user = ours.user("four")
    with contextlib.ExitStack() as stack:
        peers = {verb: stack.enter_context(Scripted(
            p.ip, name=p.host, cert=ours.world.good,
            say={verb: ["421 4.3.2 busy" if not verb else LATER, OK]})) for verb, p in FOUR.items()}
        mail(ours, user, [f"you@{p.domain}" for p in FOUR.values()], "later")
        gather({FOUR[v].domain: lambda s=s: s.mails for v, s in peers.items()}, 25)
        stays(lambda: all(len(s.mails) == 1 for s in peers.values()), 2, "it came twice")
    equal(reports(ours, user), [], "reports")


FIVE = places("never", ("", "EHLO", "MAIL", "RCPT", "DATA", "BODY"))
MIXED = place("mixed")


@scenario()
def five_brings_it_back(ours):
    """5xx at each command: a report with the other side's words, and the mail's header."""
    user = ours.user("five")
    with contextlib.ExitStack() as stack:
        for verb, p in FIVE.items():
            reply = "554 5.7.1 not from you" if verb in ("", "EHLO", "MAIL") else "550 5.1.1 not here"
            stack.enter_context(Scripted(p.ip, name=p.host, say={verb: reply, "HELO": reply}))
        mail(ours, user, [f"you@{p.domain}" for p in FIVE.values()], "never")
        for verb, p in FIVE.items():
            address = f"you@{p.domain}"
            one = report(ours, user, address)
            status, words = ("5.7.1", "not from you") if verb in ("", "EHLO", "MAIL") else ("5.1.1", "not here")
            row = one.expect(address, "failed", status, words)
            check(p.host in str(row["Remote-MTA"]), f"Remote-MTA: {row['Remote-MTA']}")
            check(words in one.text and address in one.text, one.text)
            check("Subject: never" in one.returned.as_string(), "the header is not returned")


@scenario()
def some_of_a_transaction_are_refused(ours):
    user = ours.user("mixed")
    with Scripted(MIXED.ip, name=MIXED.host, say={"RCPT": [OK, "550 5.1.1 nobody", LATER, OK]}) as peer:
        mail(ours, user, [f"{n}@{MIXED.domain}" for n in "abc"], "mixed")
        got = came(peer, 2)
        equal(sorted(len(m.rcpts) for m in got), [1, 1], "recipients of each")
        equal(len({r for m in got for r in m.rcpts}), 2, "different ones")
        refused = ({f"{n}@{MIXED.domain}" for n in "abc"} - {r for m in got for r in m.rcpts}).pop()
        report(ours, user, refused).expect(refused, "failed", "5.1.1", "nobody")


CUT = places("cut", ("", "EHLO", "STARTTLS", "TLS", "MAIL", "RCPT", "DATA", "BODY"))
RST = places("reset", ("", "MAIL", "BODY"))


@scenario()
def disconnects_at_each_command(ours):
    """The mail arrives afterwards: once, and where the answer to it was lost at least once."""
    user = ours.user("cut")
    with contextlib.ExitStack() as stack:
        peers = {p: stack.enter_context(Scripted(p.ip, name=p.host, cert=ours.world.good,
                                                 say={verb: [how, OK]}))
                 for group, how in ((CUT, CLOSE), (RST, RESET)) for verb, p in group.items()}
        mail(ours, user, [f"you@{p.domain}" for p in peers], "cut")
        gather({p.domain: lambda s=s: s.mails for p, s in peers.items()}, 30)
        stays(lambda: all(len(s.mails) == 1 for s in peers.values()), 2, "it came twice")
    equal(reports(ours, user), [], "reports")


GARBAGE, SLOW, DEAD, REFUSING = (place(n) for n in ("garbage", "dribble", "silent", "nobody-listens"))
QUICK = place("quick")


@scenario(90)
def bad_ones_slow_nobody(ours):
    """No answer at all, nobody who listens, garbage, an octet in a quarter of a second: the mail
    waits or takes its time, and that for others does not."""
    user, other = ours.user("bad"), ours.user("other")
    with Scripted(DEAD.ip, name=DEAD.host, say={"": SILENT}), \
            Scripted(GARBAGE.ip, name=GARBAGE.host, say={"": b"\xff\x00 hello\r\n" * 3}), \
            Scripted(SLOW.ip, name=SLOW.host, say={v: DRIBBLE for v in ("", "EHLO", "MAIL", "RCPT")},
                     extensions=("PIPELINING",)) as slow, \
            Scripted(QUICK.ip, name=QUICK.host) as quick:
        for n in range(10):
            mail(ours, user, [f"{n}@{p.domain}" for p in (DEAD, REFUSING, GARBAGE)], "bad")
        mail(ours, user, f"you@{SLOW.domain}", "slow")
        times = []
        for n in range(10):
            began = time.monotonic()
            mail(ours, other, f"{n}@{QUICK.domain}", f"quick {n}")
            came(quick, n + 1)
            times.append(time.monotonic() - began)
        print(f"  beside 30 that cannot go: {sorted(times)[5]:.2f} s, the longest {max(times):.2f} s")
        check(max(times) < 5, f"slowed: {times}")
        equal(came(slow, 1, 40)[0].rcpts, [f"you@{SLOW.domain}"], "slow")
    equal(reports(ours, user), [], "reports")


SIX_IP = space.PEERS6 + "25"
NULL_MX = place("null-mx", rows="{domain}. IN MX 0 .\n{domain}. IN A {ip}\n")
IMPLICIT = place("implicit", rows="{domain}. IN A {ip}\n")
LOOP = place("loop", rows="{domain}. IN MX 10 mail.example.test.\n")
ALIAS = place("alias", rows="{domain}. IN CNAME implicit.open.example.\n")
MX_ALIAS = place("mx-alias", rows="{domain}. IN MX 10 also.{domain}.\nalso.{domain}. IN CNAME {host}.\n" + HOST)
SECOND = place("second", rows="{domain}. IN MX 10 mx-nobody-listens.open.example.\n"
               "{domain}. IN MX 20 {host}.\n" + HOST)
SIX = place("six", rows="{domain}. IN MX 10 {host}.\n{host}. IN AAAA " + SIX_IP + "\n")
LAME = place("lame", rows="{domain}. IN NS ns.{domain}.\nns.{domain}. IN A {ip}\n")
NO_HOST = place("no-host", rows="{domain}. IN MX 10 missing.open.example.\n")


@scenario()
def where_the_mx_leads(ours):
    """Null MX, NXDOMAIN, ourselves: back at once. No MX, aliases, the second MX, IPv6: there. A DNS
    that does not answer: it waits."""
    user = ours.user("mx")
    with contextlib.ExitStack() as stack:
        peers = {p: stack.enter_context(Scripted(SIX_IP if p is SIX else p.ip, name=p.host))
                 for p in (IMPLICIT, MX_ALIAS, SECOND, SIX)}
        nowhere = f"you@nxdomain.{IMPLICIT.zone}"
        mail(ours, user, [nowhere, *(f"you@{p.domain}" for p in (
            NULL_MX, LOOP, NO_HOST, LAME, ALIAS, *peers))], "where")
        report(ours, user, nowhere).expect(nowhere, "failed", "5.1.2")
        for p, status in (NULL_MX, "5.1.10"), (LOOP, "5.4.6"), (NO_HOST, "5.4.4"):
            report(ours, user, f"you@{p.domain}").expect(f"you@{p.domain}", "failed", status)
        got = gather({p.domain: lambda s=s, n=1 + (p is IMPLICIT): len(s.mails) >= n and s.mails
                      for p, s in peers.items()}, 20)
        equal(sorted(r for m in got[IMPLICIT.domain] for r in m.rcpts),
              [f"you@{p.domain}" for p in (ALIAS, IMPLICIT)], "recipients of the alias")
    waiting = {r["address"] for row in json.loads(ours.order("queue", "list", "--json", "--from", user.address))
               for r in row["recipients"]}
    equal(waiting, {f"you@{LAME.domain}"}, "waiting")


EIGHT, SEVEN, NO_UTF8, UTF8 = (place(n) for n in ("eight", "seven", "no-utf8", "utf8"))
EIGHT_BITS = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" \
    "Content-Transfer-Encoding: 8bit\r\n"
FEW = ("PIPELINING", "SIZE 1000000")


@scenario()
def eight_bits_and_utf8(ours):
    """What the other server does not offer: 8BITMIME is done without, SMTPUTF8 comes back."""
    user, body = ours.user("bits"), "Grüße aus Köln\r\n".encode()
    with Scripted(EIGHT.ip, name=EIGHT.host) as eight, \
            Scripted(SEVEN.ip, name=SEVEN.host, extensions=FEW) as seven, \
            Scripted(NO_UTF8.ip, name=NO_UTF8.host, extensions=(*FEW, "8BITMIME")) as no_utf8, \
            Scripted(UTF8.ip, name=UTF8.host) as utf8:
        mail(ours, user, [f"you@{EIGHT.domain}", f"you@{SEVEN.domain}"], "bits",
             ["BODY=8BITMIME"], body=body, extra=EIGHT_BITS)
        one = came(eight)[0]
        check(one.body.endswith(body) and "BODY=8BITMIME" in one.mail_line, one.mail_line)
        two = came(seven)[0]
        check(all(octet < 128 for octet in two.body), "8 bits to a server of 7")
        parsed = email.message_from_bytes(two.body)
        equal(parsed.get_payload(decode=True).replace(b"\r\n", b"\n"), body.replace(b"\r\n", b"\n"), "decoded")
        for p in NO_UTF8, UTF8:
            submit(ours, user, f"jürgen@{p.domain}", message("Grüße", sender=user.address),
                   ["SMTPUTF8", "BODY=8BITMIME"])
        one = came(utf8)[0]
        equal(one.rcpts, [f"jürgen@{UTF8.domain}"], "recipient")
        check(" SMTPUTF8" in one.mail_line, one.mail_line)
        got = wait_until(lambda: [m for m in ours.fetch(user).values() if b"report-type" in m], 20, "a report")
        check(b"5.6.7" in got[0], got[0][-2000:])
        equal(no_utf8.mails, [], "mails")


RELAYED = place("relayed")


@scenario()
def success_is_told(ours):
    """NOTIFY=SUCCESS: Postfix tells of it itself; for a server without DSN we tell "relayed"."""
    mta, user = postfix(ours), ours.user("dsn")
    address = f"told@{POSTFIX.domain}"
    mail(ours, user, address, "dsn", ["ENVID=abc+2B1", "RET=HDRS"],
         [f"NOTIFY=SUCCESS,FAILURE", f"ORCPT=rfc822;first@{POSTFIX.domain}"])
    check(b"Subject: dsn" in mta.wait(address)[0], "not delivered")
    told = arrived(ours, user)
    octets = next(iter(told.values()))
    for line in (b"Reporting-MTA: dns; " + POSTFIX.host.encode(), b"Original-Envelope-Id: abc+1",
                 b"Original-Recipient: rfc822;first@" + POSTFIX.domain.encode(), b"Action: delivered"):
        check(line in octets, lambda: f"no {line} in {octets.decode()}")
    address = f"you@{RELAYED.domain}"
    with Scripted(RELAYED.ip, name=RELAYED.host, extensions=FEW) as peer:
        mail(ours, user, address, "relayed", ["ENVID=xyz"], ["NOTIFY=SUCCESS"])
        equal(came(peer)[0].rcpt_lines, [f"RCPT TO:<{address}>"], "without DSN")
        one = report(ours, user, address)
        one.expect(address, "relayed", "2.")
        equal(str(one.fields["Original-Envelope-Id"]), "xyz", "ENVID")


BACK, AWAY = place("srs-back"), place("srs-away")


@scenario()
def forwarding_rewrites_the_sender(ours):
    """An alias that leads elsewhere: SPF of the forwarder holds (SRS), and a bounce finds its way
    back through it."""
    alias = f"forward{ours.users}@example.test"
    ours.order("alias", "add", alias, f"you@{AWAY.domain}")
    with Scripted(AWAY.ip, name=AWAY.host) as away, Scripted(BACK.ip, name=BACK.host) as back:
        ours.deliver(alias, message("forwarded", sender=f"me@{BACK.domain}"), sender=f"me@{BACK.domain}")
        one = came(away)[0]
        check(one.sender.startswith("SRS0=") and one.sender.endswith("@example.test")
              and BACK.domain in one.sender, f"sender: {one.sender}")
        check(b"Subject: forwarded" in one.body, "another mail")
        ours.deliver(one.sender, message("bounced"), sender="")
        got = came(back)[0]
        equal((got.sender, got.rcpts), ("", [f"me@{BACK.domain}"]), "the bounce")
        check(b"Subject: bounced" in got.body, "another mail")
        # The next server does not want it: the report about it goes the same way.
        away.say["RCPT"] = ["550 5.1.1 nobody"]
        ours.deliver(alias, message("refused", sender=f"me@{BACK.domain}"), sender=f"me@{BACK.domain}")
        got = came(back, 2)[1]
        equal((got.sender, got.rcpts), ("", [f"me@{BACK.domain}"]), "the report")
        Report(b"Return-Path: <>\r\n" + got.body).expect(f"you@{AWAY.domain}", "failed", "5.1.1", "nobody")


HELD, BY = place("held"), place("by")


@scenario()
def not_before_and_not_after(ours):
    """FUTURERELEASE (RFC 4865) and DELIVERBY (RFC 2852)."""
    user = ours.user("time")
    with Scripted(HELD.ip, name=HELD.host) as held, \
            Scripted(BY.ip, name=BY.host, extensions=(*FEW, "DELIVERBY"), say={"MAIL": LATER}):
        began = time.monotonic()
        mail(ours, user, f"you@{HELD.domain}", "held", ["HOLDFOR=4"])
        mail(ours, user, f"you@{BY.domain}", "by", ["BY=3;R"])
        came(held)
        check(time.monotonic() - began > 3, "sent before its time")
        report(ours, user, f"you@{BY.domain}").expect(f"you@{BY.domain}", "failed", "5.4.7")


LARGE, SMALL = place("large"), place("small")


@scenario()
def large_mail(ours):
    """By DATA, and by BDAT where the other side has it."""
    user, body = ours.user("large"), b"".join(b"%076d\r\n" % n for n in range(150_000))
    mta = exim(ours)
    with Scripted(LARGE.ip, name=LARGE.host, extensions=(*FEW[:1], "SIZE 20000000")) as peer, \
            Scripted(SMALL.ip, name=SMALL.host, extensions=FEW) as small:
        mail(ours, user, [f"you@{LARGE.domain}", f"large@{EXIM.domain}", f"you@{SMALL.domain}"], "large", body=body)
        check(came(peer, seconds=40)[0].body.endswith(body), "changed")
        check(mta.wait(f"large@{EXIM.domain}")[0].replace(b"\n", b"\r\n").endswith(body), "changed by Exim")
        report(ours, user, f"you@{SMALL.domain}").expect(f"you@{SMALL.domain}", "failed", "5.3.4")
        equal(small.said("DATA") + len(small.mails), 0, "sent although it is too large")
