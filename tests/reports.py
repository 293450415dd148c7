#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What other servers report of TLS with ours, end to end: from port 25 to `tecsmail tlsrpt`; and that a
policy of theirs (MTA-STS) is fetched and followed.

    tests/reports.py

The interpreter is the one that Debian's python3-dkim is for. The program is build/tecsmail, or what
TECSMAIL names.
"""
import json
import pathlib
import signal
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "clients"), str(HERE)]
import harness  # noqa: E402
from harness import Server, check, equal, too_long, wait_until  # noqa: E402
from https import Https, Page  # noqa: E402
from tlsreport import Key, day, report  # noqa: E402
from zones import Zones, missing  # noqa: E402

ADDRESS = "tls-reports@example.test"


def rows(server):
    return json.loads(server.order("tlsrpt", "--json"))["reports"]


def nothing_yet(server, key):
    equal(rows(server), [], "reports at the beginning")
    check("No report about TLS" in server.order("check", "--tls", "--lang", "en"), "what is said of none")
    check("kein Bericht" in server.order("check", "--tls", "--lang", "de"), "what is said of none, in German")


def one_arrives(server, key):
    server.deliver(ADDRESS, key.letter(report(domain="example.test"), sender="a@big.example", domain="big.example"))
    got = wait_until(lambda: rows(server), 15, "a report")
    got[0].pop("received")
    equal(got, [{"day": str(day(1)), "domain": "example.test", "reporter": "big.example", "organization": "Big",
                 "id": "one", "sessions": 9, "failed": 2,
                 "failures": [{"reason": "certificate-expired", "mx": "", "sessions": 2}]}], "its row")
    table = server.order("tlsrpt", "example.test").split()
    equal(table[:6] + table[6:], ["DAY", "DOMAIN", "REPORTER", "SESSIONS", "FAILED", "WHY", str(day(1)), "example.test",
                                  "big.example", "9", "2", "certificate-expired", "2"], "the table")
    check("example.test" not in server.order("tlsrpt", "another.test"), "of another domain")


def it_is_told(server, key):
    equal(server.order("check", "--tls", "--lang", "en").strip(),
          "In the last 7 days: 1 report about TLS, 2 of 9 sessions failed. Why: the certificate had expired "
          "(2, as told by big.example).", "the sentence")
    check("1 Bericht über TLS, 2 von 9 Verbindungen gescheitert" in server.order("check", "--tls", "--lang", "de"), "German")
    told = json.loads(server.order("check", "--tls", "--json"))
    equal((told["ok"], told["reports"], told["sessions"], told["failed"]), (False, 1, 9, 2), "the same for programs")


def others_are_dropped(server, key):
    since = len(server.log_text())
    for n, how in enumerate(({"sign": False}, {"spoil": True}, {"sender": "a@small.example"})):
        server.deliver(ADDRESS, key.letter(report(domain="example.test", ident=f"bad{n}"),
                                           **{"sender": "a@big.example", "domain": "big.example", **how}))
    server.deliver(ADDRESS, harness.message("no report at all"))
    wait_until(lambda: len(server.events("tlsrpt.dropped", since)) == 4, 15, "the end of four mails")
    equal(len(rows(server)), 1, "rows")


def a_policy_is_followed(server, key):
    user = server.user("sender")
    with server.submission(user) as client:
        client.sendmail(user.address, ["x@policy.example"], harness.message("to nobody", sender=user.address))

    def last():
        for row in json.loads(server.order("queue", "list", "--json")):
            shown = json.loads(server.order("queue", "show", row["id"], "--json"))
            reply = shown["entries"][0]["recipients"][0]["last"]
            if reply and reply["when"]:
                return reply
    got = wait_until(last, 20, "a try")
    equal((got["status"], got["host"]), ("4.7.5", "mx.policy.example"), "what became of it")
    check("policy" in got["text"], got["text"])


def the_store_is_well(server, key):
    server.order("store", "verify")


def main():
    if missing():
        return print(f"skip reports: not installed: {' '.join(missing())}\n0 passed, 0 failed, 1 skipped")
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(150)
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="tecsmail-reports-") as home, Zones(home) as dns, Https(home, dns.ip) as web:
        key = Key(home)
        dns.zone(".", f"@ IN NS ns.\nns. IN A 127.0.0.1\nsel._domainkey.big.example. IN TXT {key.record}\n"
                 f"policy.example. IN MX 1 mx.policy.example.\nmx.policy.example. IN A {dns.ip}\n"
                 f'_mta-sts.policy.example. IN TXT "v=STSv1; id=1"\nmta-sts.policy.example. IN A {dns.ip}\n')
        dns.start()
        web.pages["mta-sts.policy.example", "/.well-known/mta-sts.txt"] = Page(
            "version: STSv1\nmode: enforce\nmx: another.example\nmax_age: 86400\n")
        with Server(f'dns {{\n\tanchor = "{dns.anchor}"\n\tforward = {{"{dns.ip}:{dns.port}"}}\n}}\n'
                    f'https {{\n\tauthorities = "{web.ca}"\n\tport = {web.port}\n}}\n'
                    'outbound {\n\tport = 2525\n\tloopback = yes\n}\n') as server:
            for scenario in (nothing_yet, one_arrives, it_is_told, others_are_dropped, a_policy_is_followed,
                             the_store_is_well):
                try:
                    scenario(server, key)
                    passed += 1
                    print(f"ok {scenario.__name__}", flush=True)
                except (harness.Failed, OSError) as why:
                    failed += 1
                    print(f"FAILED {scenario.__name__}: {why}", flush=True)
            server.stop()
            complaints = server.complaints()
            passed, failed = passed + (not complaints), failed + bool(complaints)
            print("; ".join(complaints[:5]) or "ok log")
            server.keep = bool(failed)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
