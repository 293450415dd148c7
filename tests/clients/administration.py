# SPDX-License-Identifier: ISC
"""The operator's commands against the running server: what they say, and that it counts at once."""
import hashlib
import imaplib
import json
import os
import pty
import select
import smtplib
import ssl
import subprocess
import time

from harness import PROGRAM, User, check, equal, message, program, scenario

DONE, FAILED, USAGE, NOTFOUND, EXISTS, NOSERVER = range(6)


def refused(server, status, *words, stdin=""):
    """The command fails with this status, a reason for people, and JSON where asked for."""
    got, out, err = server.run(*words, stdin=stdin)
    equal(got, status, f"exit status of {' '.join(words)} ({err.strip()})")
    check(err.startswith("tecsmail: ") and len(err.splitlines()[0]) > 15, f"no reason: {err!r}")
    if "--json" in words:
        answer = json.loads(out)
        equal((answer["ok"], answer["exit"]), (False, status), "the JSON")
        check(answer["error"] in err, f"no reason in the JSON: {answer}")
    return err


def may_login(server, user):
    try:
        client = server.imap(user)
    except imaplib.IMAP4.error:
        return False
    client.logout()
    return True


def rcpt(server, address):
    """The code of RCPT on port 25."""
    with server.smtp() as client:
        client.mail("a@elsewhere.example")
        return client.rcpt(address)[0]


@scenario()
def operator_dns(server):
    """The records are those of this server: its ports, its key, and only for domains of ours."""
    zone = json.loads(server.order("dns", "--json", "example.test"))
    rows = {(row["name"], row["type"]): row["value"] for row in zone["records"]}
    host = rows["example.test.", "MX"].removeprefix("10 ")
    check(rows["_imaps._tcp.example.test.", "SRV"].startswith(
        f"0 1 {server.access['imap']['tls']} "), f"SRV of IMAP: {rows}")
    der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(
        ("127.0.0.1", server.access["imap"]["tls"])))
    key = subprocess.run("openssl x509 -inform DER -noout -pubkey | openssl pkey -pubin -outform DER",
                         shell=True, input=der, stdout=subprocess.PIPE, check=True, timeout=20)
    equal(rows["_25._tcp." + host, "TLSA"], "3 1 1 " + hashlib.sha256(key.stdout).hexdigest(),
          "TLSA, of the key that answers")
    text = server.order("dns", "example.test")
    for line in text.splitlines():
        check(line.startswith(";") or len(line.split(None, 4)) == 5, f"no record: {line}")
    check('example.test. 3600 IN TXT "v=spf1 mx -all"' in text.splitlines(), text)
    refused(server, NOTFOUND, "dns", "--json", "elsewhere.example")
    refused(server, FAILED, "dns", "not a domain")


@scenario()
def operator_domains(server):
    domain = "dom1.example"
    check(rcpt(server, "anna@" + domain) == 550, "mail for a domain that is not ours is taken")
    equal(json.loads(server.order("domain", "add", "--json", domain)), {"ok": True}, "add --json")
    refused(server, EXISTS, "domain", "add", "--json", domain)
    refused(server, FAILED, "domain", "add", "--json", "not a domain")
    refused(server, USAGE, "domain", "add")
    refused(server, USAGE, "domain", "frobnicate", domain)
    server.order("domain", "add", "dom2.example")
    names = [row["domain"] for row in json.loads(server.order("domain", "list", "--json"))]
    check({domain, "dom2.example", "example.test"} <= set(names), f"list: {names}")
    check(domain in server.order("domain", "list"), "the list for people")
    server.order("user", "add", "--password-stdin", "anna@" + domain, stdin="Secret-12345\n")
    equal(rcpt(server, "anna@" + domain), 250, "mail for a user of the new domain")
    equal(rcpt(server, "ANNA@DOM1.EXAMPLE"), 250, "the same in capitals")
    equal(rcpt(server, "otto@" + domain), 550, "mail for nobody")
    equal(rcpt(server, "postmaster@" + domain), 250, "mail for postmaster")
    refused(server, FAILED, "domain", "delete", domain)
    server.order("user", "delete", "anna@" + domain)
    server.order("domain", "delete", domain)
    refused(server, NOTFOUND, "domain", "delete", "--json", domain)
    equal(rcpt(server, "anna@" + domain), 550, "mail for a deleted domain")
    # Umlauts are the same domain in either writing.
    server.order("domain", "add", "grüße.example")
    refused(server, EXISTS, "domain", "add", "xn--gre-6ka8l.example")
    server.order("domain", "delete", "grüße.example")
    server.order("domain", "delete", "dom2.example")


@scenario()
def operator_users(server):
    first, second = "Secret-12345", "#Other;67890~"
    user = User("berta@example.test", first)
    equal(json.loads(server.order("user", "add", "--json", "--password-stdin", user.address,
                                  stdin=first + "\n")), {"ok": True}, "add --json")
    check(may_login(server, user), "the new user cannot log in")
    check(may_login(server, User("Berta@Example.Test", first)), "the address in capitals")
    server.deliver(user, message("hello"))
    refused(server, EXISTS, "user", "add", "--password-stdin", user.address, stdin=first + "\n")
    refused(server, NOTFOUND, "user", "add", "--password-stdin", "a@far.example",
            stdin=first + "\n")
    refused(server, FAILED, "user", "add", "--password-stdin", "--json", "no-address",
            stdin=first + "\n")
    for bad in ("short", "", "Übermut-12345", "with space 12345"):
        refused(server, FAILED, "user", "add", "--password-stdin", "c@example.test",
                stdin=bad + "\n")
    refused(server, USAGE, "user", "add", "d@example.test", "Secret-12345")

    # The old password ends at once, even where a worker has just seen it.
    check(may_login(server, user), "the old password")
    server.order("user", "passwd", "--password-stdin", user.address, stdin=second + "\n")
    check(not may_login(server, user), "the old password still counts")
    user = User(user.address, second)
    check(may_login(server, user), "the new password does not count")
    refused(server, NOTFOUND, "user", "passwd", "--password-stdin", "--json", "e@example.test",
            stdin=first + "\n")

    row = next(r for r in json.loads(server.order("user", "list", "--json", "example.test"))
               if r["address"] == user.address)
    equal(row["messages"], 1, "messages in the list")
    check(row["octets"] > 100, f"octets in the list: {row}")
    check(user.address in server.order("user", "list"), "the list for people")

    # A user who brings his hash along.
    hashed = program("openssl", "passwd", "-6", "-salt", "saltsalt", "Moved-in-123").decode()
    server.order("user", "add", "--hash", "--password-stdin", "moved@example.test",
                 stdin="{SHA512-CRYPT}" + hashed)
    check(may_login(server, User("moved@example.test", "Moved-in-123")), "the hash brought along")
    server.order("user", "delete", "moved@example.test")

    # A deleted user is gone, and the next of his name does not find his mail.
    server.order("user", "delete", user.address)
    check(not may_login(server, user), "the deleted user can log in")
    equal(rcpt(server, user.address), 550, "mail for the deleted user")
    refused(server, NOTFOUND, "user", "delete", user.address)
    server.order("user", "add", "--password-stdin", user.address, stdin=second + "\n")
    equal(server.fetch(user), {}, "mail of the new user")
    server.order("user", "delete", user.address)


@scenario()
def operator_app_passwords(server):
    """One for a device: it counts beside the main one, for its protocols, until it is withdrawn."""
    user = server.user("apps")
    words = "user", "app-password"
    phone = server.order(*words, "add", user.address, "my phone").strip()
    answer = json.loads(server.order(*words, "add", user.address, "pop only", "--protocol", "pop3",
                                     "--json"))
    check(may_login(server, User(user.address, phone)), "the app password")
    check(may_login(server, User(user.address, phone.replace("-", "").upper())), "as people type")
    check(may_login(server, user), "the main password beside it")
    check(not may_login(server, User(user.address, answer["password"])), "pop3's over IMAP")
    rows = {r["name"]: r for r in
            json.loads(server.order(*words, "list", user.address, "--json"))}
    check(rows["my phone"]["used"] > 0 and rows["pop only"]["used"] == 0, f"last use: {rows}")
    equal(rows["pop only"]["protocols"], "pop3", "protocols")
    check("my phone" in server.order(*words, "list", user.address), "the list for people")
    check('by="app:my phone"' in server.log_text(), "the log does not say by which")
    check(phone not in server.log_text(), "the log has the password")
    refused(server, EXISTS, *words, "add", user.address, "my phone")
    refused(server, NOTFOUND, *words, "list", "nobody@example.test")
    server.order(*words, "delete", user.address, "my phone")
    check(not may_login(server, User(user.address, phone)), "the withdrawn app password counts")
    refused(server, NOTFOUND, *words, "delete", "--json", user.address, "my phone")


@scenario()
def operator_password_by_prompt(server):
    """At a terminal it is asked for twice and not shown."""
    user = User("carl@example.test", "Typed-in-12345")
    pid, tty = pty.fork()
    if pid == 0:
        os.execv(PROGRAM, [PROGRAM, "-c", str(server.conf), "user", "add", user.address])
    said, asked, end = b"", 0, time.monotonic() + 20
    while time.monotonic() < end:
        if not select.select([tty], [], [], 0.5)[0]:
            continue
        try:
            said += os.read(tty, 4096)
        except OSError:
            break
        if said.count(b": ") > asked and said.endswith(b": "):
            asked += 1
            time.sleep(0.2)  # typed by a person, after the terminal has become silent
            os.write(tty, user.password.encode() + b"\n")
    os.close(tty)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    equal((status, asked), (0, 2), f"exit status and prompts: {said!r}")
    check(user.password.encode() not in said, "the password was shown")
    check(may_login(server, user), "the password that was typed in")


@scenario()
def operator_aliases(server):
    one, two = server.user("one"), server.user("two")
    server.order("domain", "add", "club.example")

    # Several targets; who gets it in two ways gets it once.
    server.order("alias", "add", "--json", "team@club.example", one.address, two.address)
    server.order("alias", "add", "all@club.example", "team@club.example", one.address)
    refused(server, EXISTS, "alias", "add", "--json", "team@club.example", one.address)
    refused(server, NOTFOUND, "alias", "add", "a@far.example", one.address)
    refused(server, USAGE, "alias", "add", "b@club.example")
    server.deliver("team@club.example", message("to the team"))
    server.deliver("all@club.example", message("to all"))
    # The catch-all, and those whom it does not catch.
    equal(rcpt(server, "whoever@club.example"), 550, "before there is a catch-all")
    server.order("alias", "add", "*@club.example", two.address)
    server.deliver("whoever@club.example", message("caught"))
    # Details: the folder of that name, else the inbox; they go through aliases too.
    local, domain = one.address.split("@")
    server.deliver(f"{local}+Archive@{domain}", message("to a folder"))
    server.deliver(f"{local}+shops@{domain}", message("to no folder"))
    server.deliver("team+list@club.example", message("team with detail"))
    equal(server.subjects(one), ["team with detail", "to all", "to no folder", "to the team"],
          "the first one's inbox")
    equal(server.subjects(one, "Archive"), ["to a folder"], "the folder of the detail")
    equal(server.subjects(two), ["caught", "team with detail", "to all", "to the team"],
          "the second one's inbox")

    # An alias that leads to him is an address of his.
    with server.submission(one) as client:
        client.sendmail("team@club.example", [two.address],
                        message("as the team", sender="team@club.example"))
        equal(client.mail("whoever@club.example")[0], 553, "an alias that is somebody else's")
        client.rset()
        equal(client.mail(f"{local}+any@{domain}")[0], 250, "his address with a detail")
        client.rset()
    with server.smtp() as client:  # two ways to the same user in one message
        client.sendmail("a@elsewhere.example",
                        ["team@club.example", one.address, "all@club.example"],
                        message("many ways"))
    equal(server.subjects(one).count("many ways"), 1, "copies of one message")

    rows = {r["alias"]: sorted(r["targets"]) for r in
            json.loads(server.order("alias", "list", "--json", "club.example"))}
    equal(rows["team@club.example"], sorted([one.address, two.address]), "alias list --json")
    check("*@club.example" in rows, f"the catch-all in the list: {rows}")
    check("team@club.example" in server.order("alias", "list"), "the list for people")

    # A loop delivers to those who are in it, and ends.
    server.order("alias", "add", "ping@club.example", "pong@club.example", two.address)
    server.order("alias", "add", "pong@club.example", "ping@club.example")
    server.deliver("pong@club.example", message("round and round"))
    equal(server.subjects(two).count("round and round"), 1, "copies out of a loop")

    refused(server, FAILED, "domain", "delete", "club.example")
    server.order("alias", "delete", "*@club.example")
    equal(rcpt(server, "whoever@club.example"), 550, "after the catch-all was deleted")
    for name in ("team", "all", "ping", "pong"):
        server.order("alias", "delete", f"{name}@club.example")
    equal(rcpt(server, "team@club.example"), 550, "after the alias was deleted")
    refused(server, NOTFOUND, "alias", "delete", "--json", "team@club.example")
    server.order("domain", "delete", "club.example")


@scenario()
def operator_quota(server):
    user = User("dora@example.test", "Secret-12345")
    server.order("user", "add", "--password-stdin", "--quota=200K", user.address,
                 stdin=user.password + "\n")
    for n in range(2):
        server.deliver(user, message(f"mail {n}", "x" * 70 * 1000 + "\r\n"))
    try:
        server.deliver(user, message("too much", "x" * 70 * 1000 + "\r\n"))
        check(False, "a mail over the quota was taken")
    except smtplib.SMTPRecipientsRefused as no:
        code, text = no.recipients[user.address]
        check(code in (452, 552) and b"2.2" in text, f"over the quota: {code} {text}")
    client = server.imap(user)
    status, text = client.append("INBOX", None, None, message("more", "x" * 70 * 1000))
    check(status == "NO" and b"OVERQUOTA" in text[0], f"APPEND over the quota: {text}")
    client.select("INBOX")
    client.store("1", "+FLAGS", "\\Deleted")
    client.expunge()
    client.logout()
    server.deliver(user, message("fits again"))
    equal(server.subjects(user), ["fits again", "mail 1"], "in the inbox")


@scenario()
def operator_store(server):
    user = server.user("kept")
    server.deliver(user, message("kept"))
    stats = json.loads(server.order("store", "stats", "--json"))
    check(stats["engine"] == "lmdb" and stats["blobs"] > 0 and stats["commits"] > 0,
          f"store stats: {stats}")
    verified = json.loads(server.order("store", "verify", "--json"))
    check(verified["ok"] and verified["faults"] == 0 and verified["accounts"] >= 3,
          f"store verify: {verified}")


@scenario()
def operator_without_a_server(server):
    """Each command names the server that does not answer; help and version need none."""
    conf = server.home / "elsewhere" / "tecsmail.conf"
    conf.parent.mkdir()
    conf.write_text("state = .\n")
    got = program(PROGRAM, "-c", str(conf), "domain", "list", status=NOSERVER)
    check(b"not running" in got, f"without a server: {got}")
    for words in (["version"], ["--help"], ["user", "add", "--help"], ["config"],
                  ["-c", str(conf), "check", "--config"]):
        program(PROGRAM, *words)
    for words in ([], ["nonsense"], ["user"]):
        program(PROGRAM, *words, status=USAGE)
