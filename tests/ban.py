#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The kernel drops who is banned: two network namespaces, a pair of interfaces, real packets.

    tests/ban.py

The one namespace is the machine, where bans-tool (src/proc/bans_tool.c) bans and unbans; the
other one has the addresses that knock: by TCP and UDP on several ports, by ping, on connections
that were open before. Nothing outside of the two namespaces is touched; both are removed at the
end, whatever happens. Needs root; skips where the system has no namespaces or no nf_tables.
The driver is build-test/src/proc/bans-tool, or what the environment names in BANS_TOOL.
"""
import contextlib
import ctypes
import os
import pathlib
import re
import secrets
import select
import shutil
import socket
import subprocess
import sys
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOL = os.environ.get("BANS_TOOL", str(ROOT / "build-test/src/proc/bans-tool"))
PORTS = [25, 443, 993, 40000]
MACHINE = ["192.0.2.1/24", "2001:db8:7::1/64", "2001:db8:8::1/64"]
OUTSIDE = ["192.0.2.7/24", "192.0.2.8/24", "192.0.2.70/24", "2001:db8:7::7/64",
           "2001:db8:7::ffff:9/64", "2001:db8:8::8/64"]
HEARD_S, DROPPED_S, ANSWER_S = 5, 0.5, 20
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """The kernel let through what it should not, or the other way round."""


class Skip(Exception):
    """This system cannot do it."""


def check(yes, why):
    if not yes:
        raise Failed(why)


def command(*args, timeout=20):
    done = subprocess.run(args, capture_output=True, text=True, timeout=timeout)
    if done.returncode:
        raise OSError(f"{' '.join(args)}: {done.stderr.strip()}")
    return done.stdout


class Namespace:
    def __init__(self, name):
        self.name = name
        command("ip", "netns", "add", name)

    def run(self, *args):
        return command("ip", "netns", "exec", self.name, *args)

    @contextlib.contextmanager
    def inside(self):
        """Sockets made here belong to the namespace, wherever they are used."""
        with open("/proc/self/ns/net") as own, open(f"/run/netns/{self.name}") as there:
            if libc.setns(there.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            try:
                yield
            finally:
                if libc.setns(own.fileno(), CLONE_NEWNET):
                    os._exit(1)  # this process must not go on in there

    def socket(self, family, kind):
        with self.inside():
            return socket.socket(family, kind | socket.SOCK_CLOEXEC)

    def remove(self):
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True, timeout=20)


class Tool:
    """bans-tool in the namespace of the machine."""

    def __init__(self, machine, *before):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", machine.name, *before, TOOL], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], ANSWER_S)[0]:
            raise Failed(f"no answer to {line!r}")
        return self.process.stdout.readline().strip()

    def ok(self, line):
        answer = self.ask(line)
        check(answer == "ok", f"{line}: {answer}")

    def kill(self):
        self.process.kill()
        self.process.communicate(timeout=ANSWER_S)

    def close(self):
        if self.process.poll() is None:
            try:
                return self.process.communicate(timeout=ANSWER_S)[1]
            except subprocess.TimeoutExpired:
                self.kill()
                raise Failed("bans-tool did not end") from None
        return ""


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Net:
    """The machine, which listens on PORTS, and the outside."""

    def __init__(self, close):
        mark = secrets.token_hex(4)
        self.machine = Namespace(f"ban-m-{mark}")
        close.callback(self.machine.remove)
        self.outside = Namespace(f"ban-o-{mark}")
        close.callback(self.outside.remove)
        command("ip", "link", "add", "m0", "netns", self.machine.name, "type", "veth",
                "peer", "name", "o0", "netns", self.outside.name)
        for space, device, addresses in ((self.machine, "m0", MACHINE), (self.outside, "o0", OUTSIDE)):
            space.run("ip", "link", "set", "lo", "up")
            space.run("ip", "link", "set", device, "up")
            for address in addresses:
                space.run("ip", "address", "add", address, "dev", device,
                          *(["nodad"] if ":" in address else []))
        self.listening, self.datagrams = {}, {}
        for kind, kept in ((socket.SOCK_STREAM, self.listening), (socket.SOCK_DGRAM, self.datagrams)):
            for port in PORTS:
                s = self.machine.socket(socket.AF_INET6, kind)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("::", port))  # IPv4, too
                s.settimeout(HEARD_S)
                if kind == socket.SOCK_STREAM:
                    s.listen(64)
                kept[port] = s
                close.callback(s.close)

    def to(self, address):
        """The machine's address in the same network."""
        for own in [a.partition("/")[0] for a in MACHINE]:
            if address.startswith(own[:-1]):
                return own
        return "127.0.0.1" if "." in address else "::1"

    def tcp(self, address, port, patience, space=None):
        """The two ends of a connection from the address, or None: no answer in time."""
        client = (space or self.outside).socket(family(address), socket.SOCK_STREAM)
        client.settimeout(patience)
        try:
            client.bind((address, 0))
            client.connect((self.to(address), port))
        except TimeoutError:
            client.close()
            return None
        while True:
            server, peer = self.listening[port].accept()
            if peer[1] == client.getsockname()[1]:
                return client, server
            server.close()  # of somebody who has gone again

    def udp(self, address, port, patience, space=None):
        token = secrets.token_bytes(8)
        with (space or self.outside).socket(family(address), socket.SOCK_DGRAM) as client:
            client.bind((address, 0))
            client.sendto(token, (self.to(address), port))
        end = time.monotonic() + patience
        while (left := end - time.monotonic()) > 0:
            if select.select([self.datagrams[port]], [], [], left)[0]:
                if self.datagrams[port].recv(64) == token:
                    return True
        return False

    def ping(self, address, patience):
        if not shutil.which("ping"):
            return None
        done = subprocess.run(["ip", "netns", "exec", self.outside.name, "ping", "-n", "-c", "1", "-W",
                               str(patience), "-I", address, self.to(address)],
                              capture_output=True, timeout=20)
        return done.returncode == 0

    def heard(self, *addresses, space=None):
        for address in addresses:
            for port in PORTS:
                pair = self.tcp(address, port, HEARD_S, space)
                check(pair, f"{address} is not heard on TCP port {port}")
                for end in pair:
                    end.close()
                check(self.udp(address, port, HEARD_S, space), f"{address} is not heard on UDP port {port}")
            if space is None:
                check(self.ping(address, HEARD_S) is not False, f"{address} may not ping")

    def dropped(self, *addresses, space=None):
        """Nothing of these is heard; all knock at once, so that it takes DROPPED_S in all."""
        place = space or self.outside
        with contextlib.ExitStack() as close:
            calls, letters = {}, {}
            for address in addresses:
                for port in PORTS:
                    s = close.enter_context(place.socket(family(address), socket.SOCK_STREAM))
                    s.setblocking(False)
                    s.bind((address, 0))
                    s.connect_ex((self.to(address), port))
                    calls[s] = f"{address} is heard on TCP port {port}"
                    token = secrets.token_bytes(8)
                    with place.socket(family(address), socket.SOCK_DGRAM) as datagram:
                        datagram.bind((address, 0))
                        datagram.sendto(token, (self.to(address), port))
                    letters[token] = f"{address} is heard on UDP port {port}"
            end = time.monotonic() + DROPPED_S
            while (left := end - time.monotonic()) > 0:
                came, through, _ = select.select(self.datagrams.values(), calls, [], left)
                heard = [letters.get(s.recv(64)) for s in came] + [calls[s] for s in through]
                check(not any(heard), heard)
        for address in addresses:
            check(space or not self.ping(address, DROPPED_S), f"{address} may ping")


def arrives(sender, receiver, patience):
    token = secrets.token_bytes(4)
    sender.send(token)
    receiver.settimeout(patience)
    try:
        return receiver.recv(64).endswith(token)
    except TimeoutError:
        return False


def table(net):
    try:
        return net.machine.run("nft", "list", "table", "inet", "tecsmail")
    except OSError:
        return None


# --- the tests: each has a network with a tool that has the table open ---

def bans_an_address_on_every_port(net, tool):
    net.heard("192.0.2.7", "192.0.2.8")
    try:
        net.dropped("192.0.2.7")
    except Failed:
        pass  # what looks for silence does hear
    else:
        raise Failed("silence was found where there is none")
    old = net.tcp("192.0.2.7", 993, HEARD_S)
    other = net.tcp("192.0.2.8", 993, HEARD_S)
    check(arrives(*old, HEARD_S) and arrives(*other, HEARD_S), "a connection does not work")
    tool.ok("add 192.0.2.7 32 600")
    net.dropped("192.0.2.7")
    net.heard("192.0.2.8", "192.0.2.70", "2001:db8:7::7")
    check(not arrives(*old, DROPPED_S), "the connection that was open goes on")
    check(arrives(*other, HEARD_S), "another's connection has ended")
    tool.ok("remove 192.0.2.7 32")
    net.heard("192.0.2.7")
    check(tool.ask("remove 192.0.2.7 32") == "not found", "removed twice")
    for s in old + other:
        s.close()


def bans_a_network_of_ipv6(net, tool):
    net.heard("2001:db8:7::7", "2001:db8:7::ffff:9", "2001:db8:8::8")
    tool.ok("add 2001:db8:7::7 64 600")
    net.outside.run("ip", "neighbour", "flush", "all")
    net.dropped("2001:db8:7::7", "2001:db8:7::ffff:9")
    check("2001:db8:7::1 dev o0 lladdr" in net.outside.run("ip", "neighbour"),
          "neighbour discovery was dropped, which a router may need")
    net.heard("2001:db8:8::8", "192.0.2.7")
    check(re.fullmatch(r"ok 2001:db8:7::/64:5\d\d", tool.ask("list")), "not listed")
    tool.ok("remove 2001:db8:7::1234 64")
    net.heard("2001:db8:7::7", "2001:db8:7::ffff:9")


def ends_by_itself(net, tool):
    tool.ok("add 192.0.2.7 32 600")
    tool.ok("add 192.0.2.7 32 3")  # the latest counts
    tool.ok("add 2001:db8:7::7 64 3")
    ends = time.monotonic() + 3
    check(not net.tcp("192.0.2.7", 25, DROPPED_S), "192.0.2.7 is heard")
    check(not net.tcp("2001:db8:7::7", 25, DROPPED_S), "2001:db8:7::7 is heard")
    time.sleep(max(0, ends + 0.5 - time.monotonic()))
    net.heard("192.0.2.7", "2001:db8:7::7")
    check(tool.ask("list") == "ok", "still listed")
    tool.ok("add 192.0.2.7 32 1")
    tool.ok("add 192.0.2.7 32 600")
    time.sleep(1.5)
    check(not net.tcp("192.0.2.7", 25, DROPPED_S), "a ban was not made longer")
    tool.ok("add 192.0.2.7 32 0")
    net.heard("192.0.2.7")


def bans_overlap(net, tool):
    tool.ok("add 192.0.2.7 32 600")
    tool.ok("add 192.0.2.64 26 600")
    tool.ok("add 192.0.2.70 32 2")
    check(not net.tcp("192.0.2.70", 25, DROPPED_S), "192.0.2.70 is heard")
    net.heard("192.0.2.8")
    time.sleep(2)
    check(not net.tcp("192.0.2.70", 25, DROPPED_S), "the network's ban ended with the address's")
    tool.ok("remove 192.0.2.64 26")
    net.heard("192.0.2.70")
    check(not net.tcp("192.0.2.7", 25, DROPPED_S), "192.0.2.7 is heard")


def never_shuts_out_the_machine(net, tool):
    for who in ("127.0.0.1 32", "127.0.0.1 8", "::1 128", "::1 64", "fe80::1 64", "0.0.0.0 0",
                "::ffff:127.0.0.1 128", "224.0.0.1 32", "127.0.0.1;flush 32"):
        check(tool.ask(f"add {who} 600") == "syntax error", f"{who} could be banned")
    # Not even where somebody puts them into the sets by hand, or bans an address of the machine.
    tool.ok("add 192.0.2.1 32 600")
    tool.ok("add 127.0.0.2 32 600")
    tool.ok("add 2001:db8:7::1 128 600")
    net.machine.run("nft", "add element inet tecsmail v4_32 { 127.0.0.1 }")
    net.machine.run("nft", "add element inet tecsmail v6_128 { ::1 }")
    net.heard("127.0.0.1", "::1", "192.0.2.1", "2001:db8:7::1", space=net.machine)
    net.dropped("127.0.0.2", space=net.machine)  # strangers, so that a policy can be tried
    net.heard("127.0.0.3", space=net.machine)


def leaves_other_tables_alone(net, tool):
    net.machine.run("nft", "add table inet other; add set inet other s { type ipv4_addr; }; "
                           "add element inet other s { 192.0.2.9 }; "
                           "add chain inet other c { type filter hook input priority 0; }; "
                           "add rule inet other c tcp dport 5 drop; add table ip tecsmail")
    before = net.machine.run("nft", "list table inet other")
    tool.ok("add 192.0.2.7 32 600")
    tool.ok("refresh")
    tool.ok("clear")
    net.heard("192.0.2.7")
    tool.close()
    check(table(net) is None, "the table stays behind at a clean end")
    check(net.machine.run("nft", "list table inet other") == before, "another table was changed")
    net.machine.run("nft", "list table ip tecsmail")


def comes_back_after_a_flush(net, tool):
    tool.ok("add 192.0.2.7 32 600")
    net.machine.run("nft", "flush ruleset")
    check(net.tcp("192.0.2.7", 25, HEARD_S), "not flushed")
    tool.ok("add 2001:db8:7::7 64 600")  # it notices
    net.dropped("192.0.2.7", "2001:db8:7::7")
    net.machine.run("nft", "flush ruleset")
    tool.ok("refresh")
    net.dropped("192.0.2.7")
    net.heard("192.0.2.8")


def survives_its_death(net, tool):
    tool.ok("add 192.0.2.7 32 600")
    tool.kill()
    check(not net.tcp("192.0.2.7", 25, DROPPED_S), "the ban went with the process")
    again = Tool(net.machine)
    try:
        again.ok("open")  # begins anew; the keeper says who is banned
        net.heard("192.0.2.7")
        again.ok("add 192.0.2.7 32 600")
        net.dropped("192.0.2.7")
        check(len(re.findall(r"@v4_32", table(net))) == 1, "a rule stands there twice")
    finally:
        again.close()
    net.heard("192.0.2.7")


def says_so_without_the_right(net, tool):
    if not shutil.which("setpriv"):
        raise Skip("no setpriv")
    tool.ok("add 192.0.2.8 32 600")
    poor = Tool(net.machine, "setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin")
    try:
        check(poor.ask("open") == "not allowed", "allowed")
        check(poor.ask("add 192.0.2.7 32 600") == "not allowed", "allowed")
        check(poor.ask("add 2001:db8:7::7 64 600") == "not allowed", "allowed")
        check(poor.ask("list") == "ok 192.0.2.7/32:600 2001:db8:7::/64:600", "the list is not kept")
        check(poor.ask("remove 192.0.2.7 32") == "not allowed", "allowed")
        check(poor.ask("clear") == "not allowed", "allowed")
        check(poor.ask("list") == "ok", "the list is not empty")
    finally:
        log = poor.close()
    check(log.count("event=bans.off") == 1 and log.count("\n") == 1 and "CAP_NET_ADMIN" in log, log)
    check(not net.tcp("192.0.2.8", 25, DROPPED_S), "one without the right changed the table")


def takes_many_at_once(net, tool):
    tool.ok("fill 10000 600")
    began = time.monotonic()
    tool.ok("add 192.0.2.7 32 600")
    one_ms = (time.monotonic() - began) * 1000
    net.dropped("192.0.2.7")
    check(len(tool.ask("list").split()) == 10002, "not all are listed")
    tool.ok("refresh")
    check(not net.tcp("192.0.2.7", 25, DROPPED_S), "192.0.2.7 is heard")
    tool.ok("fill 10000 0")
    check(len(tool.ask("list").split()) == 2, "not all were removed")
    check(tool.ask("fill 70000 600") == "limit reached", "no limit")
    print(f"  one more among 10,000: {one_ms:.1f} ms")


TESTS = [bans_an_address_on_every_port, bans_a_network_of_ipv6, ends_by_itself, bans_overlap,
         never_shuts_out_the_machine, leaves_other_tables_alone, comes_back_after_a_flush,
         survives_its_death, says_so_without_the_right, takes_many_at_once]


def able():
    if os.geteuid() != 0:
        raise Skip("needs root")
    for program in ("ip", "nft"):
        if not shutil.which(program):
            raise Skip(f"no {program}")
    with contextlib.ExitStack() as close:
        try:
            space = Namespace(f"ban-t-{secrets.token_hex(4)}")
            close.callback(space.remove)
            space.run("ip", "link", "add", "m0", "type", "veth", "peer", "name", "o0")
            space.run("nft", "add table inet t")
            with space.inside():
                pass
        except OSError as e:
            raise Skip(str(e)) from None


def run(test):
    with contextlib.ExitStack() as close:
        net = Net(close)
        tool = Tool(net.machine)
        close.callback(lambda: tool.process.poll() is None and tool.kill())
        tool.ok("open")
        test(net, tool)
        tool.close()
        check(table(net) is None, "the table stays behind at a clean end")


def run_all(tests, attempt, known=(Failed,)):
    """Those of tests that the command line names, or all; known failures need no traceback."""
    chosen = [t for t in tests if not sys.argv[1:] or t.__name__ in sys.argv[1:]]
    passed = failed = skipped = 0
    try:
        able()
    except Skip as e:
        print(f"skip: {e}")
        chosen, skipped = [], len(tests)
    for test in chosen:
        began = time.monotonic()
        try:
            attempt(test)
            passed += 1
            print(f"ok      {test.__name__} {time.monotonic() - began:.1f} s", flush=True)
        except Skip as e:
            skipped += 1
            print(f"skip    {test.__name__}: {e}", flush=True)
        except Exception as e:  # pylint: disable=broad-except
            failed += 1
            print(f"FAILED  {test.__name__}: {e}", flush=True)
            if not isinstance(e, known):
                traceback.print_exc(file=sys.stdout)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(run_all(TESTS, run))
