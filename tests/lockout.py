#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Five wrong passwords close the server to an address, in every protocol, and to no other.

    tests/lockout.py [WORD...]          those whose name has one of the words in it

Addresses are those of the loopback: 127.0.0.1 is the machine's own and never closed, the rest
of 127.0.0.0/8 counts as strangers. The program is build/tecsmail, or what TECSMAIL names.
A second server has windows of seconds: blocks and bans are seen to begin, to end, and to outlive
the processes; and sessions end when their password or their address may no longer come in.
"""
import base64
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "clients"))
from harness import PROGRAM, Failed, Server, too_long, wait_until  # noqa: E402

CLOSED = "Zugang gesperrt bis "
WINDOW_S, BLOCK_S, BAN_S = 6, 3, 9  # whole seconds are counted: up to one less
SHORT = f"""
lockout {{
	errors = 3  window = {WINDOW_S}s  block = {BLOCK_S}s
	blocks = 2  day = 60s  ban = {BAN_S}s
	exempt = {{"127.9.0.0/16"}}
	kernel = no
	deny_file = deny.conf
}}
limits {{ per_address = 4 }}
workers {{ mx = 1  session = 2 }}
"""


class Line:
    """A connection from an address of ours, read line by line."""

    def __init__(self, source, port, tls):
        self.socket = socket.create_connection(("127.0.0.1", port), 20, source_address=(source, 0))
        if tls:
            self.socket = ssl._create_unverified_context().wrap_socket(self.socket)
        self.file = self.socket.makefile("rb")

    def read(self):
        return self.file.readline().decode("ascii").rstrip("\r\n")

    def close(self):
        self.file.close()
        self.socket.close()

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


def at_once_are_no_more_guesses(server):
    """40 logins at the same moment from one address, a right one at the end."""
    user, answers = server.access["users"][0], []
    lines = [Line("127.1.2.10", server.access["imap"]["tls"], True) for _ in range(40)]
    for line in lines:
        must(line.read().startswith("* OK"), "greeting")
    for line in lines[:-1]:
        line.socket.sendall(f"a LOGIN {user['address']} wrong\r\n".encode())
    lines[-1].socket.sendall(f"a LOGIN {user['address']} {user['password']}\r\n".encode())
    answers = [line.read() for line in lines]
    refused = sum(answer.startswith("a NO [AUTHENTICATIONFAILED]") for answer in answers)
    unheard = sum(answer.startswith("* BYE [ALERT] " + CLOSED) for answer in answers)
    good = sum(answer.startswith("a OK") for answer in answers)
    # The fourth is not told either where the fifth was counted before its answer was out.
    must(refused <= 4 and unheard >= 35 and refused + unheard + good == 40,
         f"{refused} {unheard} {good}")


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


# --- many addresses at one account ---


def seconds(server, source, address, password, good=False):
    """How long the answer takes, behind the greeting."""
    line = Line(source, server.access["imap"]["tls"], True)
    line.read()
    began = time.monotonic()
    answer = line.ask(f"a LOGIN {address} {password}")
    must(answer.startswith("a OK" if good else "a NO [AUTHENTICATIONFAILED]"), answer)
    line.close()
    return time.monotonic() - began


def strangers_wait(server):
    """Five addresses guess at an account, or at none: the sixth waits a second, right or wrong;
    who was there before does not."""
    user = new_user(server)
    name, password = user["address"], user["password"]
    seconds(server, "127.4.0.1", name, password, True)
    for net, target in [(4, name), (5, "nobody@" + name.split("@")[1])]:
        for n in range(10, 15):
            took = seconds(server, f"127.{net}.0.{n}", target, "wrong")
            must(took < 0.9, f"guess {n} at {target} took {took:.2f} s")
        took = seconds(server, f"127.{net}.0.20", target, "wrong")
        must(1 <= took < 1.9, f"the sixth at {target} took {took:.2f} s")
    took = seconds(server, "127.4.0.21", name, password, True)
    must(2 <= took < 3, f"a right one of a stranger took {took:.2f} s")
    for source, word, good in [("127.4.0.1", password, True), ("127.4.0.1", "wrong", False),
                               ("127.4.0.21", password, True), ("127.0.0.1", password, True)]:
        took = seconds(server, source, name, word, good)
        must(took < 0.9, f"{source} waited {took:.2f} s")
    server.stop()
    server.start()  # who was there is known by the store; the guesses are forgotten
    took = seconds(server, "127.4.0.22", name, password, True)
    must(took < 0.9, f"after a restart it took {took:.2f} s")


def recent_logins(server):
    user = new_user(server)
    name, password = user["address"], user["password"]
    other = server.order("user", "app-password", "add", name, "old pager", "--protocol", "pop3").strip()
    for _ in range(12):
        seconds(server, "127.4.1.1", name, password, True)
    for _ in range(2):
        seconds(server, "127.4.1.2", name, "wrong")
    seconds(server, "127.4.1.3", name, other)
    rows = {(r["address"], r["result"]): r
            for r in json.loads(server.order("user", "logins", name, "--json"))}
    must(set(rows) == {("127.4.1.1", "ok"), ("127.4.1.2", "wrong_password"),
                       ("127.4.1.3", "not_for_protocol")}, rows)
    good = rows["127.4.1.1", "ok"]
    must(good["count"] == 12 and good["by"] == "password" and good["protocol"] == "imap", good)
    must(good["good"] and good["first"] <= good["last"], good)
    must(rows["127.4.1.2", "wrong_password"]["count"] == 2, rows)
    must(rows["127.4.1.3", "not_for_protocol"]["by"] == "app:old pager", rows)
    text = server.order("user", "logins", name)
    must("wrong password" in text and "app:old pager" in text and "127.4.1.1" in text, text)
    kill_everything(server)
    must(len(json.loads(server.order("user", "logins", name, "--json"))) == 3, "not in the store")
    server.order("user", "delete", name)
    status, _, why = server.run("user", "logins", name)
    must(status == 3 and "no such user" in why, f"{status} {why}")


# --- windows of seconds ---


def blocked(server, source):
    """Three wrong ones: the answer to the last."""
    for n in range(3):
        answer = guess(server, source, "wrong")
        must(n == 2 or answer.startswith("a NO"), answer)
    must(answer.startswith("* BYE [ALERT] " + CLOSED), answer)
    return answer


def banned(server, source):
    blocked(server, source)
    time.sleep(BLOCK_S + 0.1)
    return blocked(server, source)


def heard(server, source):
    answer = guess(server, source, server.access["users"][0]["password"])
    return answer.startswith("a OK")


def comes_in(server, source):
    """The same where the limit of connections closes without a word: TLS would come first."""
    try:
        return heard(server, source)
    except OSError:
        return False


def deny_list(server):
    lines = (server.state / "deny.conf").read_text().splitlines()
    must(lines[0].startswith("#"), "no comment at its top")
    return lines[1:]


def idle(server, source, user=None):
    """A session in IDLE, and how it is ended: wait(prefix) gives the seconds it took."""
    line = Line(source, server.access["imap"]["tls"], True)
    line.read()
    user = user or server.access["users"][0]
    must(line.ask(f"a LOGIN {user['address']} {user['password']}").startswith("a OK"), "login")
    must(line.ask("b IDLE").startswith("+"), "IDLE")
    return line


def new_user(server):
    user = server.user("lock")
    return {"address": user.address, "password": user.password}


def ended(line, word, within=1.0):
    began = time.monotonic()
    answer = line.read()
    must(answer.startswith(word), answer)
    must(line.read() == "", "it goes on")
    must(time.monotonic() - began < within, f"it took {time.monotonic() - began:.2f} s")


def a_block_ends(server):
    answer = blocked(server, "127.2.0.1")
    must("3 falsche Passwoerter /" in answer and "3 wrong passwords" in answer, answer)
    must(not heard(server, "127.2.0.1"), "heard at once")
    time.sleep(BLOCK_S + 0.1)
    must(heard(server, "127.2.0.1"), "not heard after the block")


def the_window_slides(server):
    for _ in range(2):
        guess(server, "127.2.0.2", "wrong")
    time.sleep(WINDOW_S + 0.1)
    for _ in range(2):
        guess(server, "127.2.0.2", "wrong")
    must(heard(server, "127.2.0.2"), "closed by errors that are over")


def the_second_block_bans(server):
    """Sessions and guests of the address are cut off; the list for nginx has it while it lasts."""
    session = idle(server, "127.2.0.3")
    guest = Line("127.2.0.3", server.access["pop3"]["tls"], True)
    guest.read()
    mx = Line("127.2.0.3", server.access["smtp"]["starttls"], False)
    mx.read()
    answer = banned(server, "127.2.0.3")
    must("2 Sperren in 1 Minute /" in answer and "2 blocks within 1 minute" in answer, answer)
    ended(session, "* BYE [ALERT] " + CLOSED)
    ended(guest, "-ERR [SYS/TEMP] " + CLOSED)
    ended(mx, "421 4.7.0 " + CLOSED)
    wait_until(lambda: deny_list(server) == ["deny 127.2.0.3;"], 2, "the deny list")
    time.sleep(BAN_S - 5)
    must(not heard(server, "127.2.0.3"), "heard while banned")
    time.sleep(5)
    must(heard(server, "127.2.0.3"), "not heard after the ban")
    wait_until(lambda: deny_list(server) == [], 2, "the empty deny list")


def exempt_networks_never(server):
    for _ in range(8):
        answer = guess(server, "127.9.1.1", "wrong")
        must(answer.startswith("a NO"), answer)
    must(heard(server, "127.9.1.1"), "closed")


def kill_everything(server):
    server.stop(signal.SIGKILL)
    server.start()


def counts_outlive_a_crash(server):
    for _ in range(2):
        guess(server, "127.2.0.4", "wrong")
    kill_everything(server)
    answer = guess(server, "127.2.0.4", "wrong")
    must(answer.startswith("* BYE [ALERT] " + CLOSED), answer)


def blocks_and_bans_outlive_a_crash(server):
    blocked(server, "127.2.0.5")
    time.sleep(BLOCK_S + 0.1)
    kill_everything(server)
    blocked(server, "127.2.0.5")  # the second, and so a ban
    began = time.monotonic()
    kill_everything(server)
    must(not heard(server, "127.2.0.5"), "the ban was forgotten")
    wait_until(lambda: deny_list(server) == ["deny 127.2.0.5;"], 2, "its line in the list")
    must(time.monotonic() - began < BAN_S - 1, "this machine is too slow for the test")
    time.sleep(BAN_S)
    must(heard(server, "127.2.0.5"), "banned for ever")


def one_address_not_everything(server):
    kept = [Line("127.2.0.6", server.access["imap"]["starttls"], False) for _ in range(40)]
    words = [line.read() for line in kept]
    good = sum(word.startswith("* OK") for word in words)
    must(4 <= good <= 8, f"{good} of 40 came in, 4 in each of two processes")
    must(all("too many connections" in word for word in words if not word.startswith("* OK")), words)
    must(heard(server, "127.2.0.7"), "another address has none left")
    own = [Line(source, server.access["imap"]["starttls"], False)
           for source in ("127.0.0.1", "127.9.0.1") for _ in range(20)]
    must(all(line.read().startswith("* OK") for line in own), "the machine itself is limited")
    for line in kept + own:
        line.close()
    wait_until(lambda: comes_in(server, "127.2.0.6"), 3, "a place that is free again")


def repeats_by_a_reload(server):
    def mistakes(source):
        return [guess(server, source, "the-old-one") for _ in range(4)][-1]

    must(mistakes("127.2.0.8").startswith("* BYE"), "repeats count")
    text = server.conf.read_text()
    server.conf.write_text(text.replace("\terrors = 3", "\tcount_repeats = no  errors = 3"))
    os.kill(server.main_pid(), signal.SIGHUP)
    wait_until(lambda: server.events("reload"), 10, "the reload")
    must(mistakes("127.2.0.9").startswith("a NO"), "the same mistake counts more than once")
    must(guess(server, "127.2.0.9", "another").startswith("a NO"), "two mistakes close")
    must(guess(server, "127.2.0.9", "a-third").startswith("* BYE"), "three do not")
    server.conf.write_text(text)
    os.kill(server.main_pid(), signal.SIGHUP)
    wait_until(lambda: len(server.events("reload")) == 2, 10, "the reload")


def a_new_password_ends_sessions(server):
    """In all protocols and processes, and of this account only."""
    user = new_user(server)
    name, password = user["address"], user["password"]
    others = idle(server, "127.3.0.1")
    sessions = [idle(server, f"127.3.0.{n}", user) for n in range(2, 8)]
    pop3 = Line("127.3.0.8", server.access["pop3"]["tls"], True)
    pop3.read()
    must(pop3.ask(f"USER {name}").startswith("+OK"), "USER")
    must(pop3.ask(f"PASS {password}").startswith("+OK"), "PASS")
    smtp = Line("127.3.0.9", server.access["submission"]["tls"], True)
    smtp.read()
    must(smtp.ask("HELO me").startswith("250"), "HELO")
    must(smtp.ask("AUTH LOGIN").startswith("334"), "AUTH")
    smtp.ask(base64.b64encode(name.encode()).decode())
    must(smtp.ask(base64.b64encode(password.encode()).decode()).startswith("235"), "AUTH")
    server.order("user", "passwd", "--password-stdin", name, stdin="Another-1-Mule\n")
    for line in sessions:
        ended(line, "* BYE [ALERT] Passwort geaendert")
    ended(pop3, "-ERR [SYS/TEMP] Passwort geaendert")
    ended(smtp, "421 4.7.0 Passwort geaendert")
    others.ask("DONE")
    must(others.ask("c NOOP").startswith("c OK"), "another user's session was ended")
    server.order("user", "passwd", "--password-stdin", name, stdin=password + "\n")


def webmail_asks(server, call, **fields):
    """One request on the internal web socket, as docs/webapi.md has it: the answer's object."""
    body = urllib.parse.urlencode(fields).encode()
    head = {"CONTENT_LENGTH": str(len(body)), "SCGI": "1", "REQUEST_METHOD": "POST",
            "REQUEST_URI": f"/internal/{call}", "CONTENT_TYPE": "application/x-www-form-urlencoded"}
    octets = "".join(f"{name}\0{value}\0" for name, value in head.items()).encode()
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(str(server.state / "internal/web-internal"))
        s.sendall(b"%d:%s,%s" % (len(octets), octets, body))
        answer = b"".join(iter(lambda: s.recv(65536), b""))
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def its_owner_changes_the_password(server):
    """All sessions end but the one that asked, which hears that it is done."""
    user = new_user(server)
    sessions = [idle(server, f"127.3.2.{n}", user) for n in range(1, 5)]
    me = {"user": user["address"], "addr": "127.3.2.9"}
    answer = webmail_asks(server, "password", **me, password=user["password"], new="Another-1-Mule")
    must(answer["result"] == "ok", answer)
    for line in sessions:
        ended(line, "* BYE [ALERT] Passwort geaendert")
    user["password"] = "Another-1-Mule"
    line = idle(server, "127.3.2.5", user)
    app = webmail_asks(server, "apps/add", **me, password="Another-1-Mule", name="tv", protocols="")
    must(line.ask("DONE").startswith("b OK"), "a new app password ended a session")
    answer = webmail_asks(server, "apps/delete", **me, password="Another-1-Mule", name="tv")
    must(app["result"] == "ok" and answer["result"] == "ok", f"{app} {answer}")
    ended(line, "* BYE [ALERT] App-Passwort geloescht")


def what_goes_ends_sessions(server):
    user = new_user(server)
    out = server.order("user", "app-password", "add", user["address"], "phone").split()
    phone = idle(server, "127.3.1.1", {"address": user["address"], "password": out[-1]})
    server.order("user", "app-password", "delete", user["address"], "phone")
    ended(phone, "* BYE [ALERT] App-Passwort geloescht")
    line = idle(server, "127.3.1.2", user)
    server.order("user", "delete", user["address"])
    ended(line, "* BYE [ALERT] Konto geloescht")


def the_keeper_rests_shortly(server):
    """However often it dies: all the others wait for it."""
    longest = 0.0
    for _ in range(10):
        pid = server.pids()["keeper"]
        os.kill(pid, signal.SIGKILL)
        began = time.monotonic()
        wait_until(lambda: server.pids()["keeper"] != pid, 5, "a new keeper")
        longest = max(longest, time.monotonic() - began)
    must(longest < 3, f"{longest:.1f} s without a keeper")
    must(heard(server, "127.2.1.1"), "it does not answer")


def told_to_stop_before_ready(server):
    """No error, whenever it comes."""
    server.stop()
    for wait_ms in (0, 5, 10, 20, 40, 80, 160):
        process = subprocess.Popen([PROGRAM, "-c", str(server.conf), "serve"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while "event=" not in process.stderr.readline():
            must(process.poll() is None, "it ended by itself")
        time.sleep(wait_ms / 1000)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
        must(process.returncode == 0 and "error" not in err, f"{wait_ms} ms: {process.returncode} {err}")
    server.start()


SCENARIOS = [fifth_closes, right_password_does_not_help, closed_in_every_protocol, neighbours_are_free,
             at_once_are_no_more_guesses,
             a_connection_is_no_shelter, success_forgives_nothing, the_machine_itself_never,
             who_is_in_goes_on, survives_a_restart, the_operator_sees_it, the_operator_releases,
             the_operator_blocks, strangers_wait, recent_logins]


BRIEF = [a_block_ends, the_window_slides, the_second_block_bans, exempt_networks_never,
         counts_outlive_a_crash, blocks_and_bans_outlive_a_crash, one_address_not_everything,
         repeats_by_a_reload, a_new_password_ends_sessions, its_owner_changes_the_password,
         what_goes_ends_sessions, the_keeper_rests_shortly, told_to_stop_before_ready]


def attempt(scenarios, extra=""):
    wanted = [s for s in scenarios
              if not sys.argv[1:] or any(word in s.__name__ for word in sys.argv[1:])]
    passed = failed = 0
    if not wanted:
        return 0, 0
    with Server(extra) as server:
        for scenario in wanted:
            try:
                scenario(server)
                passed += 1
                print(f"ok {scenario.__name__}", flush=True)
            except (Failed, OSError) as why:
                failed += 1
                print(f"FAILED {scenario.__name__}: {why}", flush=True)
        server.keep = bool(failed)
    return passed, failed


def main():
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(230)
    counts = [attempt(SCENARIOS), attempt(BRIEF, SHORT)]
    passed, failed = (sum(column) for column in zip(*counts))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
