#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What a user is told of the mail that he sent, through the whole server: he hands it in, other people's
servers on loopback addresses take it or do not, and the webmail's calls say what became of it; and what
mail to a domain may expect, before there was any and afterwards.

    tests/receipts.py

The program is build/tecsmail, or what TECSMAIL names.
"""
import json
import pathlib
import signal
import socket
import sys
import tempfile
import urllib.parse

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "clients")]
import ways  # noqa: E402
import zones  # noqa: E402
from harness import Failed, Server, check, equal, message, too_long, wait_until  # noqa: E402
from mailhosts import Hosts  # noqa: E402


def ask(rig, path, **fields):
    """A call of docs/webapi.md."""
    fields = {"user": rig.user.address, "password": rig.user.password, "addr": "127.9.9.9", **fields}
    body = urllib.parse.urlencode(fields).encode()
    head = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in (
        ("CONTENT_LENGTH", str(len(body))), ("SCGI", "1"), ("REQUEST_METHOD", "POST"),
        ("REQUEST_URI", f"/internal/{path}"), ("CONTENT_TYPE", "application/x-www-form-urlencoded")))
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(str(rig.server.state / "internal" / "web-internal"))
        s.sendall(str(len(head)).encode() + b":" + head + b"," + body)
        answer = b""
        while some := s.recv(65536):
            answer += some
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def expected(rig, *domains):
    """What is told once nothing is pending any more."""
    def known():
        rows = ask(rig, "expect", domains=",".join(domains))["domains"]
        return not any(row["pending"] for row in rows) and {row["domain"]: row for row in rows}
    return wait_until(known, 10, f"what is known of {domains}")


def before_any_mail(rig):
    rows = expected(rig, "far.test", "strict.test", "example.test", "x.relayed.test", "gone.far.test")
    equal({name: (row["level"], row["proof"]) for name, row in rows.items()},
          {"far.test": ("authenticated", "dane"), "strict.test": ("unknown", "none"), "example.test": ("here", "none"),
           "x.relayed.test": ("relayed", "smart-host"), "gone.far.test": ("nowhere", "no-mail")}, "expected")
    check(not any(host.sessions for host in (rig.far, rig.clear, rig.relay)), "somebody was connected to")


def what_became_of_it(rig):
    to = ["ann@far.test", "bob@x.relayed.test", "eve@broken.test", "tim@strict.test", "joe@moved.test", rig.user.address]
    with rig.server.submission(rig.user) as client:
        client.sendmail(rig.user.address, to, message("to many", sender=rig.user.address,
                                                      extra="X-Mark: 1\r\n").replace(b"@elsewhere.example>", b"@many>"))
    mail = wait_until(lambda: next((m for m in rig.server.fetch(rig.user).values() if b"X-Mark" in m), None), 20, "his own copy")
    mail_id = next(line for line in mail.decode().splitlines() if line.startswith("Message-ID:")).split()[1]
    rig.mail_id = mail_id

    def rows():
        found = {row["address"]: row for row in ask(rig, "receipt", id=mail_id)["recipients"]}
        return len(found) == len(to) and found
    got = wait_until(rows, 40, "a receipt for each")
    equal({a: (row["state"], row["way"]) for a, row in got.items()}, {
        "ann@far.test": ("delivered", "dane"), "bob@x.relayed.test": ("delivered", "smart-host"),
        "eve@broken.test": ("delivered", "plain"), "tim@strict.test": ("failed", "none"),
        "joe@moved.test": ("waiting", "none"), rig.user.address: ("delivered", "here")}, "what became of it")
    ann, tim, joe = got["ann@far.test"], got["tim@strict.test"], got["joe@moved.test"]
    equal((ann["host"], ann["ip"], ann["tls"], ann["code"], ann["tries"]), ("mx.far.test", rig.far.ip, "TLSv1.3", 250, 1), "ann")
    check(ann["cipher"].startswith("TLS_") and ann["group"], ann)
    check("keine Verschlüsselung" in tim["said"]["de"] and "no encryption" in tim["said"]["en"], tim)
    check(joe["next"] > joe["when"] and joe["said"]["en"], joe)
    shown = json.loads(rig.server.order("queue", "receipt", mail_id, "--json"))
    check("mx.far.test" in json.dumps(shown), shown)
    other = rig.server.user("other")
    with_other = dict(user=other.address, password=other.password)
    equal(ask(rig, "receipt", id=mail_id, **with_other)["recipients"], [], "of another user")
    equal(ask(rig, "receipt", id=mail_id, password="wrong")["result"], "denied", "with a wrong password")
    rig.server.order("queue", "delete", rig.queued("joe@moved.test")[0]["id"])


def afterwards(rig):
    rows = expected(rig, "far.test", "broken.test")
    equal({name: row["level"] for name, row in rows.items()}, {"far.test": "authenticated", "broken.test": "plain"}, "expected")
    equal(rows["far.test"]["tls"], "TLSv1.3", "seen")


def gone_with_the_user(rig):
    equal(rig.server.run("queue", "receipt", rig.mail_id)[0], 0, "before")
    rig.server.order("user", "delete", rig.user.address)
    equal(rig.server.run("queue", "receipt", rig.mail_id)[0], 3, "no such mail")


def main():
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(170)
    steps = [before_any_mail, what_became_of_it, afterwards, gone_with_the_user]
    if zones.missing():
        print(f"skip: {', '.join(zones.missing())} not there\n0 passed, 0 failed, {len(steps)} skipped")
        return 0
    passed = 0
    with tempfile.TemporaryDirectory(prefix="tecsmail-receipts-") as home, \
            Hosts(pathlib.Path(home)) as hosts, zones.Zones(home) as dns:
        rig = ways.Rig(hosts, dns)
        dns.start()
        with Server() as server:
            rig.server, rig.user = server, server.user("sender")
            server.stop()
            rig.passwords("mx.relay.test we@relay first word\n")
            with open(server.conf, "a") as conf:
                conf.write(rig.conf)
            server.start()
            for step in steps:
                try:
                    step(rig)
                except (Failed, OSError, ValueError, KeyError, StopIteration) as why:
                    print(f"FAILED {step.__name__} {type(why).__name__}: {why}")
                    server.keep = True
                    break
                print(f"ok {step.__name__}", flush=True)
                passed += 1
            complaints = server.complaints()
            print("".join(f"FAILED log: {line}\n" for line in complaints[:5]), end="")
            server.keep = server.keep or bool(complaints)
    failed = len(steps) - passed + bool(complaints)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
