#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Five wrong passwords close the server to an address, in every protocol, and to no other.

    tests/lockout.py

Addresses are those of the loopback: 127.0.0.1 is the machine's own and never closed, the rest
of 127.0.0.0/8 counts as strangers. The program is build/tecsmail, or what TECSMAIL names.
"""
import json
import pathlib
import signal
import socket
import ssl
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "clients"))
from harness import Failed, Server, too_long  # noqa: E402

CLOSED = "Zugang gesperrt bis "


class Line:
    """A connection from an address of ours, read line by line."""

    def __init__(self, source, port, tls):
        self.socket = socket.create_connection(("127.0.0.1", port), 20, source_address=(source, 0))
        if tls:
            self.socket = ssl._create_unverified_context().wrap_socket(self.socket)
        self.file = self.socket.makefile("rb")

    def read(self):
        return self.file.readline().decode("ascii").rstrip("\r\n")

    def ask(self, line):
        self.socket.sendall(line.encode() + b"\r\n")
        return self.read()


def must(condition, what):
    if not condition:
        raise Failed(what)


def guess(server, source, password):
    """One login on a connection of its own: the answer, or the greeting where that ends it."""
    line = Line(source, server.access["imap"]["tls"], True)
    greeting = line.read()
    if not greeting.startswith("* OK"):
        return greeting
    return line.ask(f"a LOGIN {server.access['users'][0]['address']} {password}")


def fifth_closes(server):
    for _ in range(4):
        answer = guess(server, "127.1.2.3", "wrong")
        must(answer.startswith("a NO [AUTHENTICATIONFAILED]"), answer)
    answer = guess(server, "127.1.2.3", "wrong")
    must(answer.startswith("* BYE [ALERT] " + CLOSED), answer)
    must("5 falsche Passwoerter" in answer and "5 wrong passwords" in answer, answer)


def right_password_does_not_help(server):
    answer = guess(server, "127.1.2.3", server.access["users"][0]["password"])
    must(answer.startswith("* BYE [ALERT] " + CLOSED), answer)


def closed_in_every_protocol(server):
    ports = server.access
    for port, tls, head in [
        (ports["imap"]["starttls"], False, "* BYE [ALERT] "),
        (ports["imap"]["tls"], True, "* BYE [ALERT] "),
        (ports["pop3"]["starttls"], False, "-ERR [SYS/TEMP] "),
        (ports["pop3"]["tls"], True, "-ERR [SYS/TEMP] "),
        (ports["submission"]["starttls"], False, "421 4.7.0 "),
        (ports["submission"]["tls"], True, "421 4.7.0 "),
        (ports["smtp"]["starttls"], False, "421 4.7.0 "),
    ]:
        line = Line("127.1.2.3", port, tls)
        greeting = line.read()
        must(greeting.startswith(head + CLOSED), f"port {port}: {greeting}")
        must(line.read() == "", f"port {port}: it goes on")


def neighbours_are_free(server):
    answer = guess(server, "127.1.2.4", server.access["users"][0]["password"])
    must(answer.startswith("a OK"), answer)


def a_connection_is_no_shelter(server):
    """Counted as they happen: the fifth on one connection ends it."""
    line = Line("127.1.2.5", server.access["pop3"]["tls"], True)
    line.read()
    user = server.access["users"][0]["address"]
    for n in range(1, 6):
        must(line.ask(f"USER {user}").startswith("+OK"), "USER")
        answer = line.ask("PASS wrong")
        must(answer.startswith("-ERR [AUTH]" if n < 5 else "-ERR [SYS/TEMP] " + CLOSED), answer)
    must(line.read() == "", "it goes on")


def success_forgives_nothing(server):
    good = server.access["users"][0]["password"]
    for _ in range(4):
        guess(server, "127.1.2.6", "wrong")
    must(guess(server, "127.1.2.6", good).startswith("a OK"), "the right one after four")
    answer = guess(server, "127.1.2.6", "wrong")
    must(answer.startswith("* BYE [ALERT] " + CLOSED), answer)


def the_machine_itself_never(server):
    for _ in range(7):
        answer = guess(server, "127.0.0.1", "wrong")
        must(answer.startswith("a NO [AUTHENTICATIONFAILED]"), answer)
    answer = guess(server, "127.0.0.1", server.access["users"][0]["password"])
    must(answer.startswith("a OK"), answer)


def survives_a_restart(server):
    server.stop()
    server.start()
    right_password_does_not_help(server)
    neighbours_are_free(server)


def who_is_in_goes_on(server):
    """A session that is logged in does not mind what others do from its address."""
    line = Line("127.1.2.7", server.access["imap"]["tls"], True)
    line.read()
    user = server.access["users"][0]
    must(line.ask(f"a LOGIN {user['address']} {user['password']}").startswith("a OK"), "login")
    for _ in range(5):
        guess(server, "127.1.2.7", "wrong")
    must(guess(server, "127.1.2.7", "wrong").startswith("* BYE [ALERT] "), "not closed")
    must(line.ask("b NOOP").startswith("b OK"), "the open session was ended")


def the_operator_sees_it(server):
    listed = json.loads(server.order("guard", "list", "127.1.2.0/24", "--json"))
    by_address = {row["address"]: row for row in listed["addresses"]}
    must(by_address["127.1.2.3"]["state"] == "blocked", listed)
    must(not by_address["127.1.2.3"]["by_hand"], listed)
    guess(server, "127.1.2.8", "wrong")
    shown = json.loads(server.order("guard", "show", "127.1.2.8", "--json"))
    must(shown["state"] == "open" and len(shown["errors"]) == 1, shown)
    must(shown["next"] == {"errors_left": 4, "then": "block"}, shown)
    must("4 more wrong passwords" in server.order("guard", "show", "127.1.2.8"), "in words")
    status, _, why = server.run("guard", "show", "127.1.2.99")
    must(status == 3 and "nothing is known" in why, f"{status} {why}")


def the_operator_releases(server):
    server.order("guard", "release", "127.1.2.3")
    answer = guess(server, "127.1.2.3", server.access["users"][0]["password"])
    must(answer.startswith("a OK"), answer)
    status, _, why = server.run("guard", "release", "127.1.2.3")
    must(status == 3 and "not closed" in why, f"{status} {why}")


def the_operator_blocks(server):
    server.order("guard", "block", "127.1.2.9", "--for", "2h")
    answer = guess(server, "127.1.2.9", server.access["users"][0]["password"])
    must(answer.startswith("* BYE [ALERT] " + CLOSED) and "vom Betreiber" in answer, answer)
    for address, code, word in [("127.1.2.9", 4, "already"), ("127.0.0.1", 1, "never closed"),
                                ("::1", 1, "never closed"), ("127.1.2", 1, "no IP address")]:
        status, _, why = server.run("guard", "block", address)
        must(status == code and word in why, f"{address}: {status} {why}")


SCENARIOS = [fifth_closes, right_password_does_not_help, closed_in_every_protocol, neighbours_are_free,
             a_connection_is_no_shelter, success_forgives_nothing, the_machine_itself_never,
             who_is_in_goes_on, survives_a_restart, the_operator_sees_it, the_operator_releases,
             the_operator_blocks]


def main():
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(170)
    failed = 0
    with Server() as server:
        for scenario in SCENARIOS:
            try:
                scenario(server)
                print(f"ok {scenario.__name__}", flush=True)
            except (Failed, OSError) as why:
                failed += 1
                print(f"FAILED {scenario.__name__}: {why}", flush=True)
    print(f"{len(SCENARIOS) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
