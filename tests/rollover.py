#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""`tecsmail tls`: another key for port 25, while the DNS promises the one that is shown at every step.

    tests/rollover.py [WORD...]      those whose name has one of the words in it, and what they need

The zones are signed here and served by Debian's nsd; the command asks it with the resolver of the
program. OpenSSL judges what port 25 shows by the records that are published just then, as another
server would. The program is build/tecsmail, or what TECSMAIL names.
"""
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "clients")]
import zones  # noqa: E402
from harness import PROGRAM, Failed, Server, Skip, check, equal, too_long, wait_until  # noqa: E402

HOST = "mail.example.test"
DNS = """dns {{
	anchor = "{anchor}"
	forward = {{"{ip}:5300"}}
}}
"""
HOUR = 3600
ROUNDS = 8


def openssl(*words, text=None):
    done = subprocess.run(["openssl", *map(str, words)], input=text, capture_output=True, text=True,
                          timeout=30)
    check(done.returncode == 0, f"openssl {words[0]}: {done.stderr}")
    return done.stdout


class Rig:
    def __init__(self, server):
        self.server = server
        self.cert, self.key = server.state / "tls/cert.pem", server.state / "tls/key.pem"
        self.next, self.old = (self.key.with_name(f"key.pem.{word}") for word in ("next", "old"))
        self.since = self.key.with_name("key.pem.next.since")
        self.dns, self.published, self.steps = None, [], 0

    def tls(self, *words, status=0):
        """A command of tecsmail tls: what it says as JSON."""
        got, out, err = self.server.run("tls", *words, "--json")
        check(got == status, f"tls {words}: {got}: {out}{err}")
        return json.loads(out)

    def printed(self):
        """The TLSA records that `tecsmail dns` prints."""
        zone = json.loads(self.server.order("dns", "--json", "example.test"))
        return [row["value"] for row in zone["records"] if row["type"] == "TLSA"]

    def publish(self, records=None, signed=True, ttl=300):
        """The zones anew, with these records (those that are printed) and no others."""
        self.silence()
        self.published = self.printed() if records is None else records
        self.steps += 1
        home = self.server.home / f"zones{self.steps}"
        home.mkdir()
        self.dns = zones.Zones(home)
        text = f"@ IN NS ns\nns IN A {self.dns.ip}\n@ IN MX 10 mail\nmail IN A 127.0.0.1\n"
        text += "".join(f"_25._tcp.mail {ttl} IN TLSA {record}\n" for record in self.published)
        self.dns.zone("example.test", text, sign=signed)
        self.dns.zone("test", f"@ IN NS ns\nns IN A {self.dns.ip}\n"
                              f"example IN NS ns.example\nns.example IN A {self.dns.ip}\n")
        self.dns.zone(".", f"@ IN NS ns.test.\ntest. IN NS ns.test.\nns.test. IN A {self.dns.ip}\n")
        shutil.copy(self.dns.anchor, self.server.home / "anchor")
        self.dns.start()

    def silence(self):
        if self.dns:
            self.dns.__exit__()
            self.dns = None

    def proves(self):
        """Whether port 25 shows what the published records promise: RFC 7672 3.1, by OpenSSL."""
        data = [word for record in self.published for word in ("-dane_tlsa_rrdata", record)]
        done = subprocess.run(
            ["openssl", "s_client", "-starttls", "smtp", "-connect",
             f"127.0.0.1:{self.server.port('smtp')}", "-dane_tlsa_domain", HOST, *data,
             "-dane_ee_no_namechecks", "-verify_return_error"],
            input="QUIT\r\n", capture_output=True, text=True, timeout=30)
        return done.returncode == 0 and "Verification: OK" in done.stdout

    def whole(self, todo):
        """As another server sees it all is well, and the operator is told what comes next."""
        check(self.proves(), f"port 25 does not show what is published: {self.published}")
        shown = self.tls("show")
        if self.dns:
            equal(sorted(f"3 1 1 {digest}" for digest in shown["dns"]["hashes"]),
                  sorted(self.published), "what our resolver finds")
        equal(shown["todo"], todo, "to do")
        equal(shown["served"], shown["current"]["hash"], "the key of port 25")
        return shown

    def no_traces(self):
        equal([p.name for p in self.key.parent.iterdir() if p.name.endswith(".new")], [], "left behind")


def age(rig, seconds):
    """The note of the next key is older than it is."""
    version, digest, since, ttl = rig.since.read_text().split()
    rig.since.write_text(f"{version} {digest} {int(since) - seconds} {ttl}\n")


def without_dane(rig):
    """Nothing is promised: by no record, by one in a zone that is not signed."""
    rig.publish([])
    shown = rig.tls("show")
    equal((shown["dns"]["promise"], shown["todo"]), ("none", "nothing"), "no record")
    rig.publish(signed=False)
    equal(rig.tls("show")["dns"]["promise"], "none", "a zone that is not signed")


def the_present_key(rig):
    rig.publish()
    shown = rig.whole("nothing")
    equal((shown["dns"]["promise"], shown["dns"]["ttl"], shown["next"]), ("made", 300, None), "show")
    check(shown["current"]["published"], shown)
    rig.tls("roll", status=3)
    rig.tls("retire", status=3)
    rig.publish(["3 1 1 " + "5a" * 32, "2 0 1 " + "5a" * 32])
    check(not rig.proves(), "OpenSSL proves anything")
    broken = rig.tls("show", status=1)
    equal((broken["todo"], broken["dns"]["other_records"]), ("repair", 1), "a wrong record")
    rig.publish()


def the_next_key_is_made(rig):
    before = rig.cert.read_text(), rig.key.read_text()
    made = rig.tls("next")
    equal(stat.S_IMODE(rig.next.stat().st_mode), 0o600, "its mode")
    check("prime256v1" in openssl("pkey", "-in", rig.next, "-noout", "-text"), "another kind of key")
    check(made["record"].startswith(f"_25._tcp.{HOST}. 3600 IN TLSA 3 1 1 "), made)
    equal(rig.printed()[1], "3 1 1 " + made["hash"], "the second record")
    rig.tls("next", status=4)
    equal((rig.cert.read_text(), rig.key.read_text()), before, "what is in use")
    rig.whole("publish")
    error = rig.tls("roll", status=1)["error"]
    check("the next key is not published" in error and made["hash"] in error, error)
    check("--yes" in error and rig.proves(), error)


def it_waits_for_the_caches(rig):
    rig.publish(ttl=5000)
    shown = rig.whole("wait")
    equal(shown["dns"]["next_ready"] - shown["dns"]["next_since"], 10000, "twice the TTL")
    equal(rig.since.read_text().split()[:2], ["1", shown["next"]["hash"]], "the note")
    check("may be caches without it" in rig.tls("roll", status=1)["error"], "refused")
    # Whoever asks a resolver in between is told less; the longest that was seen counts.
    rig.publish(ttl=60)
    again = rig.whole("wait")
    equal(again["dns"]["next_ready"], shown["dns"]["next_ready"], "the time")
    # Gone and come again, it counts from the start, with an hour at least.
    rig.publish(rig.printed()[:1])
    rig.whole("publish")
    check(not rig.since.exists(), "the note stays")
    rig.publish(ttl=60)
    seen = rig.whole("wait")["dns"]
    equal(seen["next_ready"] - seen["next_since"], 2 * HOUR, "at least")
    age(rig, 2 * HOUR - 30)
    rig.tls("roll", status=1)


def trouble_with_the_dns_is_no_answer(rig):
    age(rig, -HOUR)
    rig.silence()
    shown = rig.tls("show")
    equal((shown["dns"]["promise"], shown["todo"]), ("unknown", "wait"), "what was seen before counts")
    note = rig.since.read_text()
    rig.since.unlink()
    error = rig.tls("roll", status=1)["error"]
    check("could not be found out" in error, error)
    rig.since.write_text(note)
    rig.publish()


def it_takes_its_turn(rig):
    """While sessions go on; the old key's record stays until it is retired."""
    age(rig, 2 * HOUR)
    rig.whole("roll")
    announced, before = rig.next.read_text(), rig.cert.read_text()
    session = rig.server.imap(rig.server.demo1)
    rig.server.cert = str(rig.cert)
    done = rig.tls("roll")
    equal((rig.key.read_text(), stat.S_IMODE(rig.key.stat().st_mode)), (announced, 0o600), "the key")
    names = [openssl("x509", "-noout", "-ext", "subjectAltName", "-subject", text=pem)
             for pem in (before, rig.cert.read_text())]
    equal(names[1], names[0], "who the certificate is for")
    equal(session.noop()[0], "OK", "the session from before")
    session.logout()
    rig.whole("wait")
    check(not rig.next.exists() and not rig.since.exists(), "the next key is still there")
    check("PRIVATE" not in rig.old.read_text(), "the old private key is kept")
    equal(len(rig.printed()), 2, "records printed")
    equal(rig.tls("show")["old"]["published"], True, "the old one")
    rig.no_traces()
    check("leave its record until" in rig.tls("retire", status=1)["error"], "refused")
    equal(done["retire"] - int(rig.old.stat().st_mtime), HOUR, "when it may go")


def the_old_one_goes(rig):
    an_hour_ago = time.time() - HOUR - 1
    os.utime(rig.old, (an_hour_ago, an_hour_ago))
    rig.whole("retire")
    rig.tls("retire")
    equal(len(rig.printed()), 1, "records printed")
    rig.publish()
    rig.whole("nothing")


def a_crash_at_each_step(rig):
    """Whatever is on the disk when the power goes: the server starts and shows a key that is
    published, and the command ends what it had begun."""
    def state():
        return {p.name: p.read_bytes() for p in rig.key.parent.iterdir()}

    first = state()
    rig.tls("next")
    rig.publish()
    begun = state()
    rig.tls("roll", "--yes")
    done = state()
    old = {"key.pem.old": done["key.pem.old"]}
    on_the_way = {"cert.pem.new": done["cert.pem"], "key.pem.new": done["key.pem"]}
    steps = [{**begun, **old}, {**begun, **old, **on_the_way},
             {**begun, **old, "key.pem": done["key.pem"], "cert.pem.new": done["cert.pem"]},
             {**done, "key.pem.next": done["key.pem"]}]
    for number, step in enumerate(steps):
        rig.server.stop()
        for path in rig.key.parent.iterdir():
            path.unlink()
        for name, octets in step.items():
            (rig.key.parent / name).write_bytes(octets)
            (rig.key.parent / name).chmod(0o600)
        rig.server.start()
        check(rig.proves(), f"after a crash at step {number} port 25 shows what is not published")
        check(set(rig.printed()) >= set(rig.published), f"{number}: {rig.printed()}")
        rig.tls("roll", "--yes")
        check(rig.proves(), f"port 25 after the end of {number}")
        rig.no_traces()
        equal(rig.tls("show")["next"], None, f"the next key after {number}")
    check(state().keys() - first.keys() == {"key.pem.old"}, state().keys())
    rig.tls("retire", "--yes")
    rig.publish()
    rig.whole("nothing")


def killed_at_any_moment(rig):
    """What port 25 shows is published all the time, and the next run ends what this one began."""
    started = time.monotonic()
    rig.server.run("tls", "show")
    lasts = 2 * (time.monotonic() - started)
    for number in range(ROUNDS):
        made = rig.tls("next")
        rig.publish()
        with subprocess.Popen([PROGRAM, "-c", str(rig.server.conf), "tls", "roll", "--yes"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as roll:
            time.sleep(lasts * (number + 0.5) / ROUNDS)
            roll.kill()
        check(rig.proves(), f"round {number}: port 25 shows what is not published")
        if rig.tls("show")["current"]["hash"] != made["hash"] or rig.next.exists() or \
                rig.tls("show")["todo"] == "reload":
            rig.tls("roll", "--yes")
        rig.whole("wait")
        equal(rig.tls("show")["current"]["hash"], made["hash"], f"round {number}: the key")
        rig.no_traces()
        rig.tls("retire", "--yes")
        rig.publish()
    rig.whole("nothing")


def whose_it_is(rig):
    """Root makes the key that the server's user has to read."""
    if os.geteuid():
        raise Skip("only root can give a key to another")
    nobody = pwd.getpwnam("nobody")
    os.chown(rig.key, nobody.pw_uid, nobody.pw_gid)
    rig.tls("next")
    rig.publish()
    rig.tls("show")
    for path in rig.next, rig.since:
        equal((path.stat().st_uid, path.stat().st_gid), (nobody.pw_uid, nobody.pw_gid), path.name)
    rig.tls("roll", "--yes")
    for path in rig.key, rig.old:
        equal((path.stat().st_uid, path.stat().st_gid), (nobody.pw_uid, nobody.pw_gid), path.name)
    os.chown(rig.key, 0, 0)
    check(rig.proves(), "port 25")
    rig.tls("retire", "--yes")
    rig.publish()


def another_kind_and_an_authority(rig):
    """An RSA key with a certificate of an authority that does not speak ACME: by a request."""
    home = rig.server.home
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            "/CN=Authority", "-keyout", home / "ca.key", "-out", home / "ca.pem", "-days", "30")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + HOST, "-addext",
            f"subjectAltName=DNS:{HOST},DNS:imap.example.test", "-keyout", rig.key, "-out", home / "csr")
    sign = ["x509", "-req", "-CA", home / "ca.pem", "-CAkey", home / "ca.key", "-days", "30",
            "-copy_extensions", "copy"]
    openssl(*sign, "-in", home / "csr", "-out", rig.cert)
    os.kill(rig.server.main_pid(), signal.SIGHUP)
    rig.publish()
    wait_until(rig.proves, what="the key of the authority's certificate")
    made = rig.tls("next")
    check("(2048 bit" in openssl("pkey", "-in", rig.next, "-noout", "-text"), "another kind of key")
    request = openssl("req", "-in", made["request"], "-noout", "-text", "-verify")
    check(f"DNS:{HOST}, DNS:imap.example.test" in request, request)
    rig.publish()
    check("who signs" in rig.tls("roll", "--yes", status=1)["error"], "no certificate")
    error = rig.tls("roll", "--yes", "--certificate", str(rig.cert), status=1)["error"]
    check("cannot be used with the next key" in error, error)
    check(rig.proves() and rig.next.exists(), "refused, and yet")
    openssl(*sign, "-in", made["request"], "-out", home / "fresh.pem")
    rig.tls("roll", "--yes", "--certificate", str(home / "fresh.pem"))
    equal(rig.cert.read_text(), (home / "fresh.pem").read_text(), "the certificate")
    rig.whole("wait")
    check(not pathlib.Path(made["request"]).exists(), "the request stays")
    for words in ([], ["--json"]):
        text = rig.server.order("tls", "show", *words)
        check(re.search(r"RSA 2048", text), text)


SCENARIOS = [without_dane, the_present_key, the_next_key_is_made, it_waits_for_the_caches,
             trouble_with_the_dns_is_no_answer, it_takes_its_turn, the_old_one_goes,
             a_crash_at_each_step, killed_at_any_moment, whose_it_is, another_kind_and_an_authority]


def attempt(rig, scenario):
    try:
        scenario(rig)
        return "ok", ""
    except Skip as why:
        return "skip", str(why)
    except (Failed, OSError, RuntimeError, ValueError, TypeError, subprocess.SubprocessError) as why:
        return "FAILED", f"{type(why).__name__}: {why}"


def main():
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(230)
    # They follow each other; a word ends them behind the last that has it.
    last = max((i for i, s in enumerate(SCENARIOS) if any(w in s.__name__ for w in sys.argv[1:])),
               default=len(SCENARIOS) - 1)
    wanted = SCENARIOS[:last + 1]
    if zones.missing():
        print(f"skip: {', '.join(zones.missing())} not there\n0 passed, 0 failed, {len(wanted)} skipped")
        return 0
    count = {"ok": 0, "FAILED": 0, "skip": 0}
    server = Server()
    with tempfile.TemporaryDirectory(prefix="tecsmail-anchor-") as home:
        first = zones.Zones(home)  # a server wants an anchor to start with
        first.zone(".", f"@ IN NS ns.\nns. IN A {first.ip}\n")
        shutil.copy(first.anchor, server.home / "anchor")
    server.extra = DNS.format(anchor=server.home / "anchor", ip=zones.own_address())
    with server:
        rig = Rig(server)
        try:
            for scenario in wanted:
                result, why = attempt(rig, scenario)
                count[result] += 1
                print(f"{result} {scenario.__name__}{': ' if why else ''}{why}", flush=True)
                if result == "FAILED":
                    break
        finally:
            rig.silence()
        complaints = server.complaints()
        if complaints:
            count["FAILED"] += 1
            print("FAILED log: " + "; ".join(complaints[:5]))
        server.keep = bool(count["FAILED"])
    print(f"{count['ok']} passed, {count['FAILED']} failed, {count['skip']} skipped")
    return 1 if count["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())
