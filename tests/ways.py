#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The ways of a user's mail to other people's servers, by configuration: smart hosts, the least for
a domain, inner zones; what the sender reads when a mail cannot go as it should.

    tests/ways.py [WORD...]          those whose name has one of the words in it

src/courier/line_test.py has the many cases of one way; here the whole server goes it. The other
servers and their DNS are on loopback addresses of this test. The program is build/tecsmail, or
what TECSMAIL names.
"""
import base64
import email
import json
import os
import pathlib
import signal
import smtplib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "clients")]
import zones  # noqa: E402
from harness import Failed, Server, check, equal, message, too_long, wait_until  # noqa: E402
from mailhosts import Hosts  # noqa: E402

CONF = """dns {{
	anchor = "{anchor}"
	forward = {{}}
	stub = {{{stubs}}}
}}
outbound {{
	loopback = yes
	port = {port}
	retry_first = 1h
	idle = 0s
	require = {{"strict.test:encrypted", "proven.test:authenticated", "moved.test:encrypted"}}
	smarthosts = {{"*.relayed.test:[mx.relay.test]:{port}", "wrong.test:mx.far.test:{port}",
		"spare.test:[{spare}]:{port}"}}
	passwords = passwords
	authorities = "{authority}"
}}
"""
SIMPLE = "@ IN NS ns\nns IN A {dns}\n@ IN MX 10 mx\nmx IN A {ip}\n"
EHLO_RELAY = ("PIPELINING", "8BITMIME", "AUTH PLAIN LOGIN")


class Rig:
    def __init__(self, hosts, dns):
        self.hosts, self.dns, self.server, self.user = hosts, dns, None, None
        self.word = "first"
        self.far = hosts.host("mx.far.test")
        self.relay = hosts.host("mx.relay.test", offers=EHLO_RELAY, answer=self.login)
        self.clear = hosts.host()
        self.broken = hosts.host("mx.broken.test", starttls="broken")
        self.other = hosts.host("elsewhere.test", offers=EHLO_RELAY)  # not whom its certificate names
        spot = hosts.address()
        self.spare = hosts.host(ip=spot, cert=hosts.certificate(spot), offers=EHLO_RELAY)
        self.clear.starttls = "no"
        for name, host in (("far", self.far), ("strict", self.clear), ("proven", self.far), ("relay", self.relay),
                           ("broken", self.broken), ("moved", None)):
            dns.zone(f"{name}.test", SIMPLE.format(dns=dns.ip, ip=host.ip if host else hosts.address()) + (
                f"_{hosts.port}._tcp.mx IN TLSA {host.tlsa()}\n" if name == "far" else ""))
        names = [name for name, _ in dns.names]
        dns.zone(".", f"@ IN NS ns.\nns. IN A {dns.ip}\n" + "".join(
            f"{name}. IN NS ns.{name}.\nns.{name}. IN A {dns.ip}\n" for name in names))
        self.conf = CONF.format(
            anchor=dns.anchor, port=hosts.port, spare=self.spare.ip, authority=hosts.authority.cert,
            stubs=", ".join(f'"{name}={dns.ip}:{dns.port}"' for name, _ in dns.names))

    def login(self, _session, line):
        if line.startswith("AUTH"):
            good = base64.b64encode(f"\0we@relay\0{self.word} word".encode()).decode()
            return "235 2.7.0 ok" if line == "AUTH PLAIN " + good else "535 5.7.8 no"
        return None

    def passwords(self, text, mode=0o600):
        path = self.server.state / "passwords"
        path.write_text(text)
        path.chmod(mode)

    def reload(self, event="reload"):
        seen = len(self.server.events(event))
        os.kill(self.server.main_pid(), signal.SIGHUP)
        wait_until(lambda: len(self.server.events(event)) > seen, 20, "the reload")

    def send(self, to, subject):
        with self.server.submission(self.user) as client:
            client.sendmail(self.user.address, [to], message(subject, sender=self.user.address, to=to))

    def queued(self, to):
        return json.loads(self.server.order("queue", "list", "--to", to, "--json"))

    def gone(self, to):
        wait_until(lambda: not self.queued(to), 30, f"{to} leaves the queue")

    def tried(self, to):
        def over():
            rows = self.queued(to)
            return rows and rows[0]["recipients"][0]["tries"] and rows[0]
        return wait_until(over, 30, f"the first try for {to}")

    def came_back(self, to):
        """The report about a recipient in the sender's inbox: its text, and all of it."""
        def report():
            for octets in self.server.fetch(self.user).values():
                if to.encode() in octets and b"multipart/report" in octets:
                    return email.message_from_bytes(octets)
            return None
        mail = wait_until(report, 30, f"the report about {to}")
        return "\n".join(part.get_payload(decode=True).decode() for part in mail.walk()
                         if part.get_content_type() == "text/plain") + mail.as_string()


def mails(host):
    return [mail for session in host.sessions for mail in session.mails if mail]


def has(host, subject):
    return any(subject.encode() in mail for mail in mails(host))


def a_smart_host_takes_it(rig):
    rig.send("bob@x.relayed.test", "by the relay")
    rig.gone("bob@x.relayed.test")
    check(has(rig.relay, "by the relay"), "the relay has it")
    said = rig.relay.sessions[-1].commands
    check(said[1] == "STARTTLS" and said[3].startswith("AUTH PLAIN "), said)


def one_that_is_another_hears_no_password(rig):
    """wrong.test's smart host proves itself by DANE as mx.far.test; spare.test's is an address."""
    rig.send("bob@wrong.test", "by far")
    rig.gone("bob@wrong.test")
    check(has(rig.far, "by far"), "delivered")
    rig.passwords(f"{rig.spare.ip} we@relay first word\nmx.relay.test we@relay first word\n")
    rig.spare.context.load_cert_chain(rig.other.cert.cert, rig.other.cert.key)
    rig.reload()
    rig.send("bob@spare.test", "by nobody")
    last = rig.tried("bob@spare.test")["recipients"][0]["last"]
    check("could not prove" in last["text"], last)
    check("AUTH" not in str([s.commands for s in rig.spare.sessions]), "a password was said")
    rig.server.order("queue", "delete", rig.queued("bob@spare.test")[0]["id"])


def another_password_by_a_reload(rig):
    rig.word = "second"
    rig.send("eve@x.relayed.test", "refused login")
    last = rig.tried("eve@x.relayed.test")["recipients"][0]["last"]
    equal(last["code"], 535, "the login")
    rig.passwords("mx.relay.test we@relay second word\n")
    rig.reload()
    rig.server.order("queue", "retry", rig.queued("eve@x.relayed.test")[0]["id"])
    rig.gone("eve@x.relayed.test")
    check(has(rig.relay, "refused login"), "the relay has it")


def passwords_for_everybody_are_refused(rig):
    rig.passwords("mx.relay.test we@relay second word\n", 0o644)
    rig.reload("reload.refused")
    rig.passwords("mx.relay.test we@relay\n")
    rig.reload("reload.refused")
    why = rig.server.events("reload.refused")
    check("everybody may read" in str(why[-2]) and "passwords:1: not" in str(why[-1]), why)
    check("second word" not in rig.server.log_text(), "a password in the log")
    rig.passwords("mx.relay.test we@relay second word\n")
    rig.reload()


def not_encrypted_comes_back(rig):
    rig.send("ann@strict.test", "only encrypted")
    text = rig.came_back("ann@strict.test")
    check("Der Server bietet keine Verschlüsselung an." in text and "5.7.10" in text and
          "The server offers no encryption." in text, text)
    check(not has(rig.clear, "only encrypted"), "it was sent in clear")


def not_proven_comes_back(rig):
    rig.send("ann@proven.test", "only proven")
    text = rig.came_back("ann@proven.test")
    check("Die Domain bietet keinen Nachweis für ihre Server an" in text and "5.7.4" in text, text)
    check(not has(rig.far, "only proven"), "it was sent without a proof")


def broken_tls_goes_in_clear(rig):
    rig.send("ann@broken.test", "in clear")
    rig.gone("ann@broken.test")
    check(has(rig.broken, "in clear"), "delivered")
    equal([e["host"] for e in rig.server.events("line.clear")], ["mx.broken.test"], "the log")


def what_a_domain_requires_holds_on_another_way(rig):
    """An order to move a mail does not undo what the operator wants for its domain."""
    rig.send("ann@moved.test", "moved")
    entry = rig.tried("ann@moved.test")
    rig.server.order("queue", "move", entry["id"], f"[{rig.clear.ip}]:{rig.hosts.port}")
    text = rig.came_back("ann@moved.test")
    check("Der Server bietet keine Verschlüsselung an." in text, text)
    check(not has(rig.clear, "moved"), "sent in clear")


SCENARIOS = [a_smart_host_takes_it, one_that_is_another_hears_no_password, another_password_by_a_reload,
             passwords_for_everybody_are_refused, not_encrypted_comes_back, not_proven_comes_back,
             broken_tls_goes_in_clear, what_a_domain_requires_holds_on_another_way]


def attempt(rig, scenario):
    try:
        scenario(rig)
        return ""
    except (Failed, OSError, ValueError, KeyError, IndexError, smtplib.SMTPException,
            subprocess.SubprocessError) as why:
        return f"{type(why).__name__}: {why}"


def run(wanted):
    failed = 0
    with tempfile.TemporaryDirectory(prefix="tecsmail-ways-") as home, \
            Hosts(pathlib.Path(home)) as hosts, zones.Zones(home) as dns:
        rig = Rig(hosts, dns)
        dns.start()
        server = Server()
        with server:
            rig.server, rig.user = server, server.user("sender")
            server.stop()
            rig.passwords("# ours\nmx.relay.test we@relay first word\n")
            with open(server.conf, "a") as conf:
                conf.write(rig.conf)
            server.start()
            for scenario in wanted:
                why = attempt(rig, scenario)
                failed += bool(why)
                print(f"{'FAILED' if why else 'ok'} {scenario.__name__} {why}".rstrip(), flush=True)
            complaints = server.complaints()
            failed += bool(complaints)
            print("".join(f"FAILED log: {line}\n" for line in complaints[:5]), end="")
            server.keep = bool(failed)
    print(f"{len(wanted) - failed} passed, {failed} failed")
    return 1 if failed else 0


def main():
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(170)
    wanted = [s for s in SCENARIOS if not sys.argv[1:] or any(word in s.__name__ for word in sys.argv[1:])]
    if zones.missing():
        print(f"skip: {', '.join(zones.missing())} not there\n0 passed, 0 failed, {len(wanted)} skipped")
        return 0
    return run(wanted)


if __name__ == "__main__":
    sys.exit(main())
