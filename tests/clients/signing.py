# SPDX-License-Identifier: ISC
"""Users' mail is signed (DKIM), and what signs it is what `tecsmail dns` has published."""
import json
import pathlib
import re
import smtplib
import subprocess

from harness import Skip, check, equal, message, scenario, subject_of

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"  # the one that Debian's python3-dkim is for
VERIFY = r"""
import dkim, json, sys
case = json.load(sys.stdin)
text = case["message"].encode("latin-1")
def ask(name, timeout=5):
    return case["zone"].get(name.decode(), "").encode() or None
d = dkim.DKIM(text)
n = sum(1 for name, _ in d.headers if name.lower() == b"dkim-signature")
out = []
for i in range(n):
    d = dkim.DKIM(text)
    try:
        good = d.verify(idx=i, dnsfunc=ask)
    except dkim.DKIMException:
        good = False
    out.append([d.signature_fields[b"a"].decode(), d.domain.decode(), d.selector.decode(), good])
json.dump(out, sys.stdout)
"""


def zone(server, domain="example.test"):
    rows = json.loads(server.order("dns", "--json", domain))["records"]
    return {row["name"]: row["value"] for row in rows if "_domainkey" in row["name"]}


def verified(octets, published):
    """[algorithm, domain, selector, good] of each signature, by another's program."""
    if subprocess.run([PYTHON, "-c", "import dkim, nacl"], stderr=subprocess.DEVNULL,
                      check=False, timeout=60).returncode:
        raise Skip("python3-dkim is not there")
    case = {"message": octets.decode("latin-1"), "zone": published}
    got = subprocess.run([PYTHON, "-c", VERIFY], input=json.dumps(case).encode(), check=True,
                         stdout=subprocess.PIPE, timeout=60)
    return json.loads(got.stdout)


def sent(server, user, to, octets):
    with server.submission(user) as client:
        client.sendmail(user.address, [to.address], octets)
    return server.fetch(to)[max(server.fetch(to))]


@scenario()
def dkim_signed(server):
    user, friend = server.user("signer"), server.user("reader")
    published = zone(server)
    equal(len(published), 2, "keys made with the domain")
    mails = [
        message("plain", sender=user.address, to=friend.address),
        message("no line end, spaces  \t ", "a  b \t\r\n\r\n \r\n\r\nend  ", user.address),
        message("large", "line of a large mail, \xe4\r\n".encode() * 30000, user.address),
        message("lists", sender=user.address, extra="List-Unsubscribe: <https://x.example/>\r\n"
                "References: <1@x>\r\n <2@x>\r\nTo: a@b.example,\r\n\tc@d.example\r\n"),
        b"Subject: bare\r\n\r\nx\r\n",
        b"no header\r\n",
        b"\r\n",
    ]
    for octets in mails:
        got = sent(server, user, friend, octets)
        rows = verified(got, published)
        equal([(a, d, good) for a, d, _, good in rows],
              [("rsa-sha256", "example.test", True), ("ed25519-sha256", "example.test", True)],
              f"signatures of {octets[:200]}")
        check(not verified(got + b"more\r\n", published)[0][3], "a longer body verifies")
        check(not verified(b"From: x@y.example\r\n" + got, published)[0][3], "a second From")
    server.deliver(friend, message("from elsewhere", sender="x@elsewhere.example"))
    got = next(m for m in server.fetch(friend).values() if subject_of(m) == "from elsewhere")
    check(b"DKIM-Signature" not in got, "mail of others is signed")
    check("PRIVATE" not in server.log_text(), "a private key is in the log")


@scenario()
def dkim_rotation(server):
    domain = "rotate.example"
    server.order("domain", "add", domain)
    server.order("user", "add", "--password-stdin", "ann@" + domain, stdin="Secret-12345\n")
    ann, friend = type(server.user("rot"))("ann@" + domain, "Secret-12345"), server.user("rotfriend")
    octets = message("rotation", sender=ann.address, to=friend.address)

    def selectors():
        return [row[2] for row in verified(sent(server, ann, friend, octets), zone(server, domain))
                if row[3]]

    def states():
        return [row["state"] for row in json.loads(server.order("dkim", "list", "--json", domain))]

    first = selectors()
    equal(len(first), 2, "signatures")
    old = sent(server, ann, friend, octets)
    server.order("dkim", "add", domain)
    equal(states(), ["active", "active", "next", "next"], "with next ones")
    equal(selectors(), first, "the next ones do not sign yet")
    equal(len(zone(server, domain)), 4, "published keys")
    status, _, why = server.run("dkim", "rotate", domain)
    check(status == 1 and "younger than 2 hours" in why, f"rotate at once: {why}")
    server.order("dkim", "rotate", "--yes", domain)
    equal(states(), ["retired", "retired", "active", "active"], "rotated")
    second = selectors()
    check(len(second) == 2 and not set(first) & set(second), f"{first}, {second}")
    equal([row[3] for row in verified(old, zone(server, domain))], [True, True], "mail under way")
    check(server.run("dkim", "retire", domain)[0] == 1, "retired at once")
    server.order("dkim", "retire", "--yes", domain)
    equal([row[3] for row in verified(old, zone(server, domain))], [False, False], "after it")
    equal(states(), ["active", "active"], "retired")
    listed = server.order("dkim", "list", "--json", domain)
    check(re.fullmatch(r'[^"]*("(selector|algorithm|state|created|changed|record|'
                       r'[a-z0-9]+|rsa-sha256|ed25519-sha256|v=DKIM1; k=[^"]*)"[^"]*)+', listed),
          f"more than there should be: {listed}")
    equal(server.run("dkim", "list", "elsewhere.example")[0], 3, "a domain of others")
    try:  # nobody signs for a domain that is not his
        sent(server, ann, friend, message("forged", sender="boss@example.test"))
        check(False, "a forged From is taken")
    except smtplib.SMTPDataError as refused:
        equal(refused.smtp_code, 554, "a forged From")
