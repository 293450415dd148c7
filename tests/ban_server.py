#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The real server bans in the kernel: wrong passwords, dropped packets, releases, crashes.

    tests/ban_server.py [NAME...]

The two network namespaces are those of tests/ban.py; the server runs in the one that is the
machine, the clients in the other. Needs root; skips where the system has no namespaces or no
nf_tables. The program is build/tecsmail, or what TECSMAIL names.
"""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "clients"))
import harness  # noqa: E402
from ban import (DROPPED_S, HEARD_S, Failed, Net, Skip, check, command, family,  # noqa: E402
                 run_all, table)
from harness import Server, too_long, wait_until  # noqa: E402

BLOCK_S, BAN_S = 1, 600
NOBODY = 65534
LOCKOUT = """
lockout {
	block = %ds
	ban = %ds
	exempt = {"192.0.2.64/26"}
	deny_file = deny.conf
}
"""
FAR = ["2001:db8:9::7/64", "2001:db8:9::ffff:9/64"]  # the machine has no address among these
TLS = ssl._create_unverified_context()


class Place(Net):
    """The networks of tests/ban.py, and a server that listens on all addresses of the machine."""

    def __init__(self, close, program=None):
        super().__init__(close)
        for address in FAR:
            self.outside.run("ip", "address", "add", address, "dev", "o0", "nodad")
        self.machine.run("ip", "route", "add", "2001:db8:9::/64", "dev", "m0")
        close.callback(setattr, harness, "PROGRAM", harness.PROGRAM)
        harness.PROGRAM = program or harness.PROGRAM
        self.server = Server()
        close.callback(self.server.close)
        with self.machine.inside():
            self.server.start()
            self.server.stop()
            text = self.server.conf.read_text()
            text = re.sub(r'"127.0.0.1:(\d{2,})"(, "\[::1\]:\d+")?', r'"*:\1"', text)
            self.server.conf.write_text(text + LOCKOUT % (BLOCK_S, BAN_S))
            self.server.start()

    def to(self, address):
        return "2001:db8:7::1" if address.startswith("2001:db8:9:") else super().to(address)

    def again(self, how=signal.SIGTERM):
        self.server.stop(how)
        with self.machine.inside():
            self.server.start()

    def reload(self, old, new):
        seen = len(self.server.events("reload"))
        text = self.server.conf.read_text()
        check(old in text, f"no {old} in the configuration")
        self.server.conf.write_text(text.replace(old, new))
        os.kill(self.server.main_pid(), signal.SIGHUP)
        wait_until(lambda: len(self.server.events("reload")) > seen, 10, "the reload")

    def imap(self, address, space=None, to=None):
        """A connection to IMAPS from the address, and the greeting."""
        s = (space or self.outside).socket(family(address), socket.SOCK_STREAM)
        s.settimeout(20)
        s.bind((address, 0))
        s.connect((to or self.to(address), self.server.port("imaps")))
        s = TLS.wrap_socket(s)
        file = s.makefile("rb")
        return s, file, file.readline().decode()

    def login(self, address, password, space=None, to=None):
        s, file, answer = self.imap(address, space, to)
        with s, file:
            if not answer.startswith("* OK"):
                return answer
            s.sendall(f"a LOGIN {self.server.demo1.address} {password}\r\n".encode())
            return file.readline().decode()

    def wrong(self, address):
        """Three blocks of five wrong passwords each, and the time between."""
        for block in range(3):
            for n in range(5):
                answer = self.login(address, "wrong")
                check(answer.startswith("a NO") == (n < 4), f"wrong password {n + 1}: {answer}")
            check("Sperren in" in answer if block == 2 else "falsche Passwoerter" in answer, answer)
            time.sleep(BLOCK_S + 0.1)

    def ban(self, address):
        self.wrong(address)
        wait_until(lambda: not self.port_heard(address), 3, "the kernel's ban")

    def port_heard(self, address, port=40000):
        pair = self.tcp(address, port, DROPPED_S)
        for end in pair or ():
            end.close()
        return bool(pair)

    def comes_in(self, address, **where):
        answer = self.login(address, self.server.demo1.password, **where)
        check(answer.startswith("a OK"), f"{address}: {answer}")

    def guard(self, *words):
        return self.server.order("guard", *words)


# --- the tests: each has a place of its own ---

def wrong_passwords_close_the_machine(net):
    """Every port, and what is open already; neighbours are heard."""
    user = net.server.demo1
    idle, file, _ = net.imap("192.0.2.7")
    idle.sendall(f"a LOGIN {user.address} {user.password}\r\nb IDLE\r\n".encode())
    while not file.readline().startswith(b"+ idling"):
        pass
    other = net.tcp("192.0.2.7", 443, HEARD_S)
    check(other, "not heard before")
    net.ban("192.0.2.7")
    idle.settimeout(1)
    check(file.readline().startswith(b"* BYE [ALERT] Zugang gesperrt bis "), "the session goes on")
    net.dropped("192.0.2.7")
    other[0].sendall(b"x")
    other[1].settimeout(DROPPED_S)
    with contextlib.suppress(TimeoutError):
        check(not other[1].recv(1), "what was open goes through")
    check("192.0.2.7" in table(net), table(net))
    bans = net.server.events("lockout.ban")
    check(len(bans) == 1 and bans[0]["address"] == "192.0.2.7" and bans[0]["blocks"] == "3", bans)
    net.heard("192.0.2.8")
    net.comes_in("192.0.2.8")
    for end in (*other, idle, file):
        end.close()


def an_ipv6_network(net):
    net.comes_in("2001:db8:9::7")
    net.ban("2001:db8:9::7")
    net.dropped("2001:db8:9::7", "2001:db8:9::ffff:9")
    net.comes_in("2001:db8:8::8")
    net.ban("192.0.2.7")
    path = net.server.state / "deny.conf"
    wait_until(lambda: path.read_text().splitlines()[1:] ==
               ["deny 192.0.2.7;", "deny 2001:db8:9::/64;"], 2, "the list for nginx")
    check(path.stat().st_mode & 0o777 == 0o644, "nginx may not read it")


def a_neighbour_of_the_machine(net):
    """Of the network that the machine is in itself the kernel drops nobody; the ports refuse."""
    net.wrong("2001:db8:7::7")
    answer = net.login("2001:db8:7::ffff:9", net.server.demo1.password)
    check(answer.startswith("* BYE [ALERT] Zugang gesperrt"), answer)
    net.heard("2001:db8:7::7")
    check("2001:db8:7:" not in table(net), table(net))


def released_by_the_operator(net):
    net.ban("192.0.2.7")
    net.guard("release", "192.0.2.7")
    wait_until(lambda: net.port_heard("192.0.2.7"), 3, "the release")
    net.heard("192.0.2.7")
    net.comes_in("192.0.2.7")
    check("192.0.2.7" not in table(net), table(net))


def ends_by_itself(net):
    net.reload(f"ban = {BAN_S}s", "ban = 8s")
    net.ban("192.0.2.7")
    wait_until(lambda: net.port_heard("192.0.2.7"), 9, "the end of the ban")
    net.comes_in("192.0.2.7")


def outlives_crash_and_reboot(net):
    net.ban("192.0.2.7")
    net.server.stop(signal.SIGKILL)
    net.dropped("192.0.2.7")  # the kernel needs nobody for it
    net.machine.run("nft", "delete", "table", "inet", "tecsmail")  # as a reboot does
    check(net.port_heard("192.0.2.7"), "dropped by whom?")
    with net.machine.inside():
        net.server.start()
    net.dropped("192.0.2.7")
    net.comes_in("192.0.2.8")
    net.again()
    net.dropped("192.0.2.7")
    net.server.stop()
    check(table(net) is None, "the table stays behind at a clean end")


def outlives_the_keeper(net):
    net.ban("192.0.2.7")
    pid = net.server.pids()["keeper"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: net.server.pids()["keeper"] != pid, 5, "a new keeper")
    net.dropped("192.0.2.7")
    net.guard("release", "192.0.2.7")
    wait_until(lambda: net.port_heard("192.0.2.7"), 3, "the release")


def comes_back_after_a_flush(net):
    net.ban("192.0.2.7")
    net.machine.run("nft", "flush ruleset")
    check(net.port_heard("192.0.2.7"), "not flushed")
    net.reload("block =", "block  =")
    net.dropped("192.0.2.7")
    net.reload("lockout {", "lockout {\n\tkernel = no")
    check(table(net) is None, "the table is still there")
    check(net.port_heard("192.0.2.7"), "still dropped")
    answer = net.login("192.0.2.7", net.server.demo1.password)
    check(answer.startswith("* BYE [ALERT] Zugang gesperrt"), answer)
    net.reload("kernel = no", "kernel = yes")
    net.dropped("192.0.2.7")


def never_the_machine_and_whom_it_trusts(net):
    where = {"space": net.machine, "to": "192.0.2.1"}
    for address, at in (("192.0.2.70", {}), ("192.0.2.1", where)):
        for _ in range(16):
            answer = net.login(address, "wrong", **at)
            check(answer.startswith("a NO"), answer)
        net.comes_in(address, **at)
        status, _, why = net.server.run("guard", "block", address)
        check(status == 1 and "never closed" in why, why)
    check(not re.search(r"192\.0\.2\.", table(net) or ""), table(net))


def without_the_right(_):
    """The listeners refuse, the rest of the machine is open, and the log says it once."""
    if not shutil.which("setpriv"):
        raise Skip("no setpriv")
    with contextlib.ExitStack() as close:
        home = pathlib.Path(close.enter_context(tempfile.TemporaryDirectory()))
        poor = home / "tecsmail"
        poor.write_text("#!/bin/sh\nexec setpriv --bounding-set=-net_admin --inh-caps=-net_admin "
                        f"{harness.PROGRAM} \"$@\"\n")
        poor.chmod(0o755)
        net = Place(close, str(poor))
        net.wrong("192.0.2.7")
        answer = net.login("192.0.2.7", net.server.demo1.password)
        check(answer.startswith("* BYE [ALERT] Zugang gesperrt"), answer)
        net.heard("192.0.2.7")
        since = net.server.log_text().rindex("event=stopping")
        off = net.server.events("bans.off", since)
        check(len(off) == 1 and "CAP_NET_ADMIN" in off[0]["reason"], off)
        check(table(net) is None, "a table")


def rights(pid):
    """The effective capabilities of a process, and of its children."""
    own = re.search(r"CapEff:\s*([0-9a-f]+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(own, 16), [rights(child)[0] for child in children]


def as_the_unit_starts_it(_):
    """A user of its own with two rights, as packaging/tecsmail.service has it: they are main's."""
    if not shutil.which("setpriv"):
        raise Skip("no setpriv")
    names = "+net_bind_service,+net_admin"
    with contextlib.ExitStack() as close:
        net = Net(close)
        home = pathlib.Path(close.enter_context(tempfile.TemporaryDirectory()))
        program = shutil.copy(harness.PROGRAM, home / "tecsmail")
        command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-days", "10", "-subj", "/CN=m", "-keyout", str(home / "key.pem"),
                "-out", str(home / "cert.pem"))
        (home / "t.conf").write_text("hostname = mail.example.test\nstate = state\n"
                                     "listen { smtp = {\"*:26\"} imaps = {\"*:994\"} }\n"
                                     "tls { certificate = cert.pem  key = key.pem }\n"
                                     "lockout { deny_file = state/deny.conf }\n")
        (home / "state").mkdir(mode=0o700)
        for path in (home, *home.iterdir()):
            os.chown(path, NOBODY, NOBODY)
        server = subprocess.Popen(
            ["ip", "netns", "exec", net.machine.name, "setpriv", f"--reuid={NOBODY}",
             f"--regid={NOBODY}", "--clear-groups", f"--inh-caps={names}", f"--ambient-caps={names}",
             f"--bounding-set=-all,{names}", "--no-new-privs", program, "-c", str(home / "t.conf"),
             "serve"], stderr=open(home / "log", "w"), preexec_fn=harness.die_with_parent)
        close.callback(lambda: server.poll() is None and server.kill())
        wait_until(lambda: "event=ready" in (home / "log").read_text(), 30, "the start")
        wait_until(lambda: table(net), 5, "the table")
        own, children = rights(server.pid)
        check(own == 1 << 10 | 1 << 12, f"main has {own:x}")  # capability.h
        check(len(children) >= 3 and not any(children), f"the children have {children}")
        wait_until(lambda: (home / "state/deny.conf").exists(), 5, "the list for nginx")
        server.terminate()
        check(server.wait(30) == 0, (home / "log").read_text())
        check(table(net) is None, "the table stays behind")


TESTS = [wrong_passwords_close_the_machine, an_ipv6_network, a_neighbour_of_the_machine,
         released_by_the_operator, ends_by_itself, outlives_crash_and_reboot, outlives_the_keeper, comes_back_after_a_flush,
         never_the_machine_and_whom_it_trusts, without_the_right, as_the_unit_starts_it]
ALONE = [without_the_right, as_the_unit_starts_it]  # these make places of their own


def attempt(test):
    with contextlib.ExitStack() as close:
        if test in ALONE:
            test(None)
            return
        net = Place(close)
        try:
            test(net)
        except BaseException:
            net.server.keep = True
            raise


def main():
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(290)
    return run_all(TESTS, attempt, (Failed, harness.Failed))


sys.exit(main())
