# SPDX-License-Identifier: ISC
"""Other servers send to us: Postfix and Exim, by each way that they know."""
import os
import re
import shutil
import smtplib
import subprocess

from harness import Skip, check, equal, message, scenario, subject_of, wait_until
from servers import Nginx, Program, find, listens
from world import OUR_DOMAIN, OUR_HOST, OUR_NAMES, OURS, place

POSTFIX, EXIM = place("postfix"), place("exim")
SENDERS = {name: place(name) for name in ("plain", "may", "dane", "secure", "sts")}
STS_DAEMON = "127.0.0.1", 8461
POSTFIX_LEVELS = {
    "plain": "smtp_tls_security_level=none",
    "may": "smtp_tls_security_level=may",
    "dane": "smtp_tls_security_level=dane-only",
    "secure": "smtp_tls_security_level=secure",
    "sts": "smtp_tls_security_level=may;smtp_tls_policy_maps=socketmap:inet:%s:%d:postfix" % STS_DAEMON}
EXIM_LEVELS = {
    "plain": "hosts_avoid_tls = *;hosts_try_dane =",
    "may": "hosts_require_tls = *;hosts_try_dane =",
    "dane": "hosts_require_dane = *;hosts_require_tls = *",
    "secure": "hosts_require_tls = *;hosts_try_dane =;tls_verify_hosts = *;tls_verify_cert_hostnames = *;"
              "tls_verify_certificates = /etc/ssl/certs/ca-certificates.crt"}


def by_sender(levels):
    return {SENDERS[name].domain: how for name, how in levels.items()}


def postfix(ours):
    """The one that sends; the sender's domain chooses how."""
    return ours.world.postfix("postfix", POSTFIX.ip, POSTFIX.host, [POSTFIX.domain],
                              tls=ours.world.good, levels=by_sender(POSTFIX_LEVELS))


def exim(ours):
    return ours.world.exim("exim", EXIM.ip, EXIM.host, [EXIM.domain], tls=ours.world.good,
                           levels=by_sender(EXIM_LEVELS))


def send(place, sender, to, octets, options=()):
    with smtplib.SMTP(place.ip, 25, "client.example", timeout=30) as client:
        client.ehlo()
        client.sendmail(sender, to, octets, mail_options=options)


def arrived(ours, user, count=1, seconds=15):
    """{subject: octets} of the inbox, when so many are there."""
    def there():
        got = ours.fetch(user)
        return {subject_of(m): m for m in got.values()} if len(got) >= count else None
    return wait_until(there, seconds, f"mail for {user.address}")


def hop(octets):
    """Our own Received line, unfolded."""
    line = re.search(rb"(?ms)^Received: .*?\r\n(?!\s)", octets).group()
    return re.sub(rb"\r\n\s+", b" ", line).decode()


def each_level(ours, mta, place, levels, proofs):
    """A mail by each level; proofs: {level: what the sender's log says of our server}."""
    user = ours.user("each")
    for name in levels:
        send(place, f"a@{SENDERS[name].domain}", [user.address], message(name))
    got = arrived(ours, user, len(levels))
    equal(sorted(got), sorted(levels), "what arrived")
    for name in levels:
        line = hop(got[name])
        if name == "plain":
            check(" with ESMTP id " in line and " tls " not in line, line)
        else:
            check(" with ESMTPS id " in line and "(TLSv1.3)" in line, line)
        words = mta.words()
        check(re.search(proofs[name], words), lambda: f"{name}: no {proofs[name]} in {words[-3000:]}")


@scenario()
def postfix_plain_tls_dane_and_secure(ours):
    levels = [level for level in POSTFIX_LEVELS if level != "sts"]
    line = r" TLS connection established to mail\.example\.test\[198\.51\.100\.25\]:25: TLSv1\.3"
    each_level(ours, postfix(ours), POSTFIX, levels, {
        "plain": "status=sent", "may": "Trusted" + line, "dane": "(?s)(Verified" + line + ".*){2}",
        "secure": "Verified" + line})


@scenario()
def exim_plain_tls_dane_and_verified(ours):
    line = r" T=out%d H=mail\.example\.test \[198\.51\.100\.25\] X=TLS1\.3:\S+ CV=%s "
    each_level(ours, exim(ours), EXIM, list(EXIM_LEVELS), {
        "plain": r" T=out0 H=mail\.example\.test \[198\.51\.100\.25\] K C=", "may": line % (1, "(no|yes)"),
        "dane": line % (2, "dane"), "secure": line % (3, "yes")})


def web_room(ours):
    """nginx before our web room, as docs/web.md tells."""
    def start():
        return Nginx(ours.world.home / "web").run(OURS, [(
            f"{OUR_HOST} mta-sts.{OUR_DOMAIN}", ours.own,
            f"location / {{ include /etc/nginx/scgi_params; scgi_pass unix:{ours.state}/internal/web; }}")])
    return ours.world.once("web", start)


@scenario()
def postfix_by_our_mta_sts_policy(ours):
    """A client of MTA-STS fetches the policy that the web room shows, and Postfix keeps to it."""
    web_room(ours)
    if not shutil.which("mta-sts-daemon"):
        raise Skip("mta-sts-daemon is not installed")
    home = ours.world.home / "sts"
    home.mkdir()
    (home / "conf").write_text("host: %s\nport: %d\ncache:\n  type: internal\n"
                               "default_zone:\n  strict_testing: true\n  timeout: 10\n" % STS_DAEMON)
    ours.world.begin(Program(home).start, find("mta-sts-daemon"), "-c", home / "conf",
                     ready=lambda: listens(*STS_DAEMON))
    said = subprocess.run([find("mta-sts-query"), OUR_DOMAIN], capture_output=True, text=True).stdout
    check("'mode': 'enforce'" in said and f"'mx': ['{OUR_HOST}']" in said, said)
    mta, user = postfix(ours), ours.user("sts")
    before = len(mta.words())
    send(POSTFIX, f"a@{SENDERS['sts'].domain}", [user.address], message("sts"))
    check(" with ESMTPS id " in hop(arrived(ours, user)["sts"]), "not encrypted")
    check("Verified TLS connection" in mta.words()[before:], mta.words()[before:])


def finger(ours, *words):
    """What Postfix's second opinion says."""
    done = subprocess.run([find("posttls-finger"), "-c", "-L", "summary,certmatch", *words],
                          capture_output=True, text=True, timeout=30,
                          env=dict(os.environ, MAIL_CONFIG=str(postfix(ours).home / "conf")))
    return done.stdout + done.stderr


@scenario()
def posttls_finger_second_opinion(ours):
    for level in "dane", "dane-only":
        said = finger(ours, "-l", level, OUR_DOMAIN)
        check("Verified TLS connection established to mail.example.test" in said
              and "TLSv1.3" in said and "Matched DANE EE certificate at depth 0: 3 1 1 " in said, said)
    for level, wanted in ("secure", OUR_HOST), ("verify", OUR_HOST):
        said = finger(ours, "-l", level, "-F", "/etc/ssl/certs/ca-certificates.crt", OUR_DOMAIN, wanted)
        check("Verified TLS connection established" in said, said)
    said = finger(ours, "-l", "may", "-p", "!TLSv1.3", OUR_DOMAIN)
    check("TLSv1.2 with cipher ECDHE-ECDSA-" in said and "GCM" in said, said)
    said = finger(ours, "-l", "may", "-p", "TLSv1.1", "-g", "high", OUR_DOMAIN)
    check("connection established" not in said, said)


@scenario()
def several_recipients_and_one_unknown(ours):
    """One transaction; the unknown one comes back to the sender, with our sentence."""
    mta = postfix(ours)
    users = [ours.user("many") for _ in range(4)]
    send(POSTFIX, f"back@{POSTFIX.domain}", [*(u.address for u in users), f"nobody@{OUR_DOMAIN}"],
         message("to many"))
    for user in users:
        equal(list(arrived(ours, user)), ["to many"], "arrived")
    bounce = mta.wait(f"back@{POSTFIX.domain}")[0].decode()
    check(f"Final-Recipient: rfc822; nobody@{OUR_DOMAIN}" in bounce, bounce)
    check(re.search(r"(?m)^Status: 5\.1\.1$", bounce), bounce)
    check("Diagnostic-Code: smtp; 550 5.1.1" in bounce, bounce)


@scenario()
def each_octet_of_8bitmime_and_smtputf8(ours):
    """8BITMIME and SMTPUTF8 through both: each octet arrives."""
    for place, mta in (POSTFIX, postfix), (EXIM, exim):
        mta(ours)
        user = ours.user("octets")
        body = "Grüße, 你好\r\n".encode() + bytes(range(128, 256)) + b"\r\n"
        octets = message("8bit", body, extra="MIME-Version: 1.0\r\nContent-Type: text/plain; charset=x\r\n"
                         "Content-Transfer-Encoding: 8bit\r\n")
        send(place, f"a@{SENDERS['may'].domain}", [user.address], octets, ["BODY=8BITMIME"])
        check(arrived(ours, user)["8bit"].endswith(b"\r\n\r\n" + body), f"{place.domain}: changed")
        octets = message("Grüße", body, sender=f"jürgen@{SENDERS['may'].domain}").decode(
            "latin-1").encode("latin-1")
        send(place, f"jürgen@{SENDERS['may'].domain}", [user.address], octets, ["BODY=8BITMIME", "SMTPUTF8"])
        got = arrived(ours, user, 2)["Grüße"]
        check(" with UTF8SMTPS id " in hop(got), hop(got))
        check(f"Return-Path: <jürgen@{SENDERS['may'].domain}>".encode() in got, got[:300])


@scenario()
def large_mail_by_data_and_by_chunks(ours):
    """Postfix sends by DATA, Exim by BDAT (RFC 3030)."""
    for place, mta in (POSTFIX, postfix), (EXIM, exim):
        log, user = mta(ours), ours.user("large")
        body = b"".join(b"%076d\r\n" % n for n in range(150_000))
        send(place, f"a@{SENDERS['may'].domain}", [user.address], message("large", body))
        check(arrived(ours, user, seconds=30)["large"].endswith(body), f"{place.domain}: changed")
        if place is EXIM:
            line = next(l for l in log.words().splitlines() if f"=> {user.address}" in l)
            check(" K " in line, f"no CHUNKING: {line}")


@scenario()
def null_sender(ours):
    for place, mta in (POSTFIX, postfix),:
        mta(ours)
        user = ours.user("null")
        send(place, "", [user.address], message("Undelivered", sender="MAILER-DAEMON@" + place.domain))
        check(b"Return-Path: <>" in arrived(ours, user)["Undelivered"], "no null sender")


@scenario()
def refused_in_clear_for_whom_it_must_be_encrypted(ours):
    """The receiving guarantee: the sender of what came in clear learns why."""
    mta, user = postfix(ours), ours.user("guarded")
    ours.order("user", "set", user.address, "--receiving", "encrypted")
    for name in "plain", "may":
        send(POSTFIX, f"a@{SENDERS[name].domain}", [user.address], message(name))
    equal(list(arrived(ours, user)), ["may"], "arrived")
    check(re.search(rf"to=<{user.address}>.* dsn=5\.7\.10, status=bounced \(host {OUR_HOST}", mta.words()),
          lambda: mta.words()[-2000:])


@scenario()
def a_new_key_of_tls(ours):
    """The next key's record is there before the key is: who wants DANE gets through all the time."""
    mta, user = postfix(ours), ours.user("key")
    matched = re.compile(r"Matched DANE EE certificate at depth 0: 3 1 1 (\S+)")
    before = matched.search(finger(ours, "-l", "dane-only", OUR_DOMAIN)).group(1)
    key = ours.state / "tls/key.pem.next"
    ours.order("tls", "roll", "--yes", "--certificate", str(ours.world.ca.issue(*OUR_NAMES, key=key).cert))
    after = matched.search(finger(ours, "-l", "dane-only", OUR_DOMAIN)).group(1)
    check(before != after, "the same key")
    send(POSTFIX, f"a@{SENDERS['dane'].domain}", [user.address], message("by the new key"))
    check(" with ESMTPS id " in hop(arrived(ours, user)["by the new key"]), "not encrypted")
