#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""`tecsmail queue` beside the running server: a user's mail to other people's servers, and the
operator who looks and orders. Couriers see at once what he did.

    tests/queue_command.py [WORD...]   those whose name has one of the words in it

The other servers, signed zones and their name server are on loopback addresses of this test. The
program is build/tecsmail, or what TECSMAIL names.
"""
import json
import os
import pathlib
import pty
import pwd
import re
import select
import shutil
import signal
import smtplib
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "clients")]
import zones  # noqa: E402
from harness import PROGRAM, Failed, Server, Skip, check, equal, message, too_long, wait_until  # noqa: E402
from mailhosts import Hosts  # noqa: E402

CONF = """dns {{
	anchor = "{anchor}"
	forward = {{"{ip}:5300"}}
}}
outbound {{
	loopback = yes
	port = {port}
	retry_first = 1h
}}
"""


class Rig:
    """far.test proves itself by DANE, slow.test says 451 as long as it is told to, none.test has
    nobody who answers."""

    def __init__(self, server, hosts, dns):
        self.server, self.hosts, self.dns = server, hosts, dns
        self.user = None
        self.later = True
        self.far = hosts.host("mx.far.test")
        self.slow = hosts.host("mx.slow.test", answer=self.refuse)
        self.other = hosts.host("mx.other.test")
        nobody = hosts.address()
        names = ("far", self.far.ip), ("slow", self.slow.ip), ("none", nobody)
        for name, ip in names:
            text = f"@ IN NS ns\nns IN A {dns.ip}\n@ IN MX 10 mx\nmx IN A {ip}\n"
            if name == "far":
                text += f"_{hosts.port}._tcp.mx IN TLSA {self.far.tlsa()}\n" \
                        f"_25._tcp.mx IN TLSA {self.far.tlsa()}\n"
            dns.zone(f"{name}.test", text)
        dns.zone(".", f"@ IN NS ns.\nns. IN A {dns.ip}\n" + "".join(
            f"{name}.test. IN NS ns.{name}.test.\nns.{name}.test. IN A {dns.ip}\n" for name, _ in names))

    def refuse(self, session, line):
        if self.later and line.upper().startswith("RCPT"):
            return "451 4.7.1 Greylisted, come back"
        return None

    def send(self, *to, subject="hello"):
        with self.server.submission(self.user) as client:
            client.sendmail(self.user.address, list(to),
                            message(subject, sender=self.user.address, to=", ".join(to)))

    def queue(self, *words, status=0):
        got, out, err = self.server.run("queue", *words, "--json")
        check(got == status, f"queue {words}: {got}: {out}{err}")
        return json.loads(out)

    def entry(self, text):
        """The one entry with this in a recipient's address."""
        rows = self.queue("list", "--to", text)
        equal(len(rows), 1, f"entries for {text}")
        return rows[0]

    def tried(self, text):
        """Its first try is over."""
        def over():
            rows = self.queue("list", "--to", text)
            return rows and rows[0]["state"] == "waiting" and rows[0]["recipients"][0]["tries"] and rows[0]
        return wait_until(over, 30, f"the first try for {text}")

    def gone(self, text):
        wait_until(lambda: not self.queue("list", "--to", text), 30, f"{text} leaves the queue")


def mails(host):
    """Those that were sent; a DATA whose recipients were refused before carries nothing."""
    return [mail for session in host.sessions for mail in session.mails if mail]


def an_empty_queue(rig):
    equal(rig.queue("list"), [], "list")
    equal(rig.queue()["all"]["entries"], 0, "summary")
    check("The queue is empty." in rig.server.order("queue"), "for people")


def what_was_delivered_has_a_receipt(rig):
    rig.send("bob@far.test", subject="receipt")
    wait_until(lambda: mails(rig.far), 30, "the delivery")
    rig.gone("bob@far.test")
    found = re.search(rb"(?im)^message-id: *(<[^>]*>)", mails(rig.far)[0])
    check(found, mails(rig.far)[0])
    found = found.group(1).decode()
    for words in (["--user", rig.user.address, found], [found], [found.strip("<>")]):
        receipt, = rig.queue("receipt", *words)
        equal((receipt["user"], receipt["message_id"]), (rig.user.address, found.strip("<>")), "whose")
        row, = receipt["recipients"]
        equal((row["address"], row["state"], row["code"], row["way"], row["ip"]),
              ("bob@far.test", "delivered", 250, "dane", rig.far.ip), "the receipt")
        check(row["tls"] == "TLSv1.3" and row["cipher"] and abs(row["when"] - time.time()) < 60, row)
    text = rig.server.order("queue", "receipt", found, "--lang", "de")
    check("bob@far.test: zugestellt" in text and "der Server wies sich aus (DANE)" in text, text)
    rig.queue("receipt", "--user", rig.server.demo1.address, found, status=3)


def what_the_other_side_said(rig):
    rig.send("eve@slow.test", subject="Grüße aus dem Süden")
    entry = rig.tried("eve@slow.test")
    last = entry["recipients"][0]["last"]
    equal((last["code"], last["status"], last["way"], last["host"]),
          (451, "4.7.1", "encrypted", "mx.slow.test"), "the reply")
    german = rig.server.order("queue", "show", entry["id"], "--lang", "de")
    check('mx.slow.test sagte: "451 4.7.1 Greylisted, come back".' in german and
          "Der nächste Versuch" in german and "lässt die Mail vorerst warten" in german, german)
    english = rig.server.order("queue", "show", entry["id"], "--lang", "en")
    check("The next try (1 so far) is made on " in english, english)
    check("Subject      Grüße aus dem Süden" in english and "hello" not in english, english)
    equal(rig.queue("receipt", entry["id"])[0]["recipients"][0]["state"], "waiting", "its receipt")
    people = rig.server.order("queue", "list")
    check("mx.slow.test: 451 4.7.1 Greylisted, come back" in people and entry["id"] in people, people)


def retry_is_at_once(rig):
    """The next try is an hour away, until the operator says so."""
    entry = rig.entry("eve@slow.test")
    check(entry["recipients"][0]["next"] > time.time() + 10, entry)
    rig.later = False
    equal(rig.queue("retry", entry["id"])["changed"], 1, "changed")
    rig.gone("eve@slow.test")
    equal(len(mails(rig.slow)), 1, "delivered")
    rig.later = True


def what_is_held_waits(rig):
    rig.send("ann@slow.test", "ben@slow.test")
    entry = rig.tried("ann@slow.test")
    rig.later = False
    seen = len(rig.slow.sessions)
    equal(rig.queue("hold", "--all", "--destination", "slow.test", "--yes")["changed"], 1, "held")
    rig.queue("retry", entry["id"])
    time.sleep(1)
    equal((len(rig.slow.sessions), rig.entry("ann@slow.test")["state"]), (seen, "held"), "meanwhile")
    equal(len(rig.queue("list", "--held")), 1, "held")
    rig.queue("release", entry["id"])
    rig.gone("ann@slow.test")
    rig.later = True


def another_way(rig):
    """The server of a domain is dead; the operator knows another that takes its mail."""
    rig.send("tom@none.test")
    entry = rig.tried("tom@none.test")
    check(entry["recipients"][0]["last"]["code"] == 0, entry)
    # It rests, as it could not be reached; an order is carried out all the same.
    rig.queue("retry", entry["id"])
    wait_until(lambda: rig.entry("tom@none.test")["recipients"][0]["tries"] == 2, 30, "the second try")
    host = f"[{rig.other.ip}]:{rig.hosts.port}"
    equal(rig.queue("move", entry["id"], host)["changed"], 1, "moved")
    rig.gone("tom@none.test")
    equal(len(mails(rig.other)), 1, "delivered there")


def deleted_is_gone(rig):
    before = len(rig.server.fetch(rig.user))
    rig.send("zoe@none.test", "zac@slow.test")
    entry = rig.tried("zac@slow.test")
    equal(rig.queue("delete", entry["id"], "--destination", "none.test")["changed"], 1, "of one mail")
    equal(len(rig.queue("show", entry["id"])["entries"]), 1, "what is left")
    equal(rig.queue("delete", "--all", "--from", rig.user.address, "--yes")["changed"], 1, "the rest")
    rig.queue("show", entry["id"], status=3)
    equal(rig.queue("list"), [], "the queue")
    time.sleep(0.5)
    equal(len(rig.server.fetch(rig.user)), before, "reports to the sender")


def asked(rig, answer, *words):
    """A command at a terminal, where somebody answers: (exit status, what was shown)."""
    pid, tty = pty.fork()
    if pid == 0:
        os.execv(PROGRAM, [PROGRAM, "-c", str(rig.server.conf), "queue", *words])
    said, answered, end = b"", False, time.monotonic() + 20
    while time.monotonic() < end:
        if not select.select([tty], [], [], 0.5)[0]:
            continue
        try:
            said += os.read(tty, 4096)
        except OSError:
            break
        if b"Type yes to go on: " in said and not answered:
            answered = True
            os.write(tty, answer.encode() + b"\n")
    os.close(tty)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode()


def it_asks_before_it_takes_all(rig):
    rig.send("kim@slow.test")
    rig.tried("kim@slow.test")
    status, said = asked(rig, "no", "delete", "--all", "--to", "kim@")
    check(status == 1 and "1 entry of the queue: delete?" in said and "nothing was changed" in said, said)
    rig.entry("kim@slow.test")
    status, said = asked(rig, "yes", "delete", "--all", "--to", "kim@")
    check(status == 0 and "1 entry deleted" in said, said)
    equal(rig.queue("list", "--to", "kim@"), [], "the queue")


def an_id_that_was_typed(rig):
    rig.send("una@slow.test")
    entry = rig.tried("una@slow.test")
    equal(rig.queue("show", entry["id"].upper())["id"], entry["id"], "in capitals")
    rig.queue("show", entry["id"][:-1], status=1)
    rig.queue("delete", entry["id"], entry["id"], status=3)  # the second time it is gone


def root_leaves_no_file_of_its_own(rig):
    """A store of another user, no server: what root makes there belongs to him."""
    if os.geteuid():
        raise Skip("only root can")
    nobody = pwd.getpwnam("nobody")
    home = pathlib.Path(tempfile.mkdtemp(prefix="tecsmail-test.", dir="/tmp"))
    try:
        home.chmod(0o711)
        (home / "state").mkdir(mode=0o700)
        os.chown(home / "state", nobody.pw_uid, nobody.pw_gid)
        (home / "conf").write_text("state = state\n")
        for words in (["queue"], ["queue", "list"], ["store", "stats"]):
            subprocess.run([PROGRAM, "-c", home / "conf", *words], check=True, capture_output=True)
        made = list((home / "state").rglob("*"))
        check(len(made) > 2, made)
        equal({p.stat().st_uid for p in made}, {nobody.pw_uid}, "whose it is")
    finally:
        shutil.rmtree(home)


SCENARIOS = [an_empty_queue, what_was_delivered_has_a_receipt, what_the_other_side_said,
             retry_is_at_once, what_is_held_waits, another_way, deleted_is_gone,
             it_asks_before_it_takes_all, an_id_that_was_typed, root_leaves_no_file_of_its_own]


def attempt(rig, scenario):
    try:
        scenario(rig)
        return "ok", ""
    except Skip as why:
        return "skip", str(why)
    except (Failed, OSError, ValueError, KeyError, AttributeError, smtplib.SMTPException,
            subprocess.SubprocessError) as why:
        return "FAILED", f"{type(why).__name__}: {why}"


def run(wanted):
    count = {"ok": 0, "FAILED": 0, "skip": 0}
    with tempfile.TemporaryDirectory(prefix="tecsmail-queue-") as home, \
            Hosts(pathlib.Path(home)) as hosts, zones.Zones(home) as dns:
        rig = Rig(None, hosts, dns)
        dns.start()
        with Server(extra=CONF.format(anchor=dns.anchor, ip=dns.ip, port=hosts.port)) as server:
            rig.server, rig.user = server, server.user("operator")
            for scenario in wanted:
                result, why = attempt(rig, scenario)
                count[result] += 1
                print(f"{result} {scenario.__name__}{': ' if why else ''}{why}", flush=True)
            complaints = server.complaints()
            if complaints:
                count["FAILED"] += 1
                print("FAILED log: " + "; ".join(complaints[:5]))
            server.keep = bool(count["FAILED"])
    print(f"{count['ok']} passed, {count['FAILED']} failed, {count['skip']} skipped")
    return 1 if count["FAILED"] else 0


def main():
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(170)
    wanted = [s for s in SCENARIOS
              if not sys.argv[1:] or any(word in s.__name__ for word in sys.argv[1:])]
    if zones.missing():
        print(f"skip: {', '.join(zones.missing())} not there\n0 passed, 0 failed, {len(wanted)} skipped")
        return 0
    return run(wanted)


if __name__ == "__main__":
    sys.exit(main())
