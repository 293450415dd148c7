#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Couriers and workers are killed at any instant while mail goes out; each accepted mail arrives.

    tests/queue_kill.py [--kills N] [--seconds N] [--seed N]

Clients submit mails, each to one recipient at good.test and one at lossy.test. The server of the
first answers properly; that of the second closes the connection instead of every third answer, after
it took the mail. Two couriers, two sessions, and the keeper get SIGKILL again and again, and twice the main
process with all of its children. At the end, when the queue is empty:

    accepted (250 after the dot)        arrived at good.test exactly once; twice only where the
                                        courier was killed before it could have written down the
                                        answer that it just got; at lossy.test at least once
    sent without an answer              at most once, with the same exception
    refused                             never

The program is build/tecsmail, or what the environment names in TECSMAIL.
"""
import argparse
import collections
import os
import pathlib
import random
import re
import signal
import smtplib
import socket
import ssl
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "clients"))
from harness import Failed, Server, message, too_long  # noqa: E402

CLIENTS, WAIT_S, RESTART_S = 4, 20, 45
WRITTEN_S = 2  # an answer that came so long before a kill has been written down
UNREAD_S = 1   # what a courier had sent when it was killed is read by then
CONF = """
workers {{
	courier = "2"
	session = "2"
}}
sending {{
	messages_per_day = "0"
	recipients_per_day = "0"
	new_recipients_per_day = "0"
}}
outbound {{
	retry_first = "1s"
	retry_longest = "2s"
	smarthosts = {{"good.test:[127.0.0.1]:{good}", "lossy.test:[127.0.0.1]:{lossy}"}}
}}
"""
TROUBLE = (OSError, ssl.SSLError, smtplib.SMTPException, EOFError)


class Elsewhere(threading.Thread):
    """A server elsewhere: takes mail and remembers when it answered. loses: of every so many
    answers one is not sent."""

    def __init__(self, loses=0):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = self.listener.getsockname()[1]
        self.loses, self.taken, self.lock = loses, 0, threading.Lock()
        self.answered = collections.defaultdict(list)  # id: times
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        client.settimeout(WAIT_S)
        try:
            with client, client.makefile("rwb") as f:
                self.talk(f)
        except (OSError, ValueError):
            pass

    def talk(self, f):
        def say(text):
            f.write(text)
            f.flush()

        say(b"220 elsewhere.test\r\n")
        while line := f.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                say(b"250-elsewhere.test\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
            elif verb == b"DATA":
                say(b"354 go on\r\n")
                octets = b""
                while (line := f.readline()) != b".\r\n":
                    if not line:
                        return  # cut off in the middle: not taken
                    octets += line
                with self.lock:
                    self.taken += 1
                    lost = self.loses and self.taken % self.loses == 0
                    self.answered[re.search(rb"Subject: (\S+)", octets)[1].decode()].append(
                        time.monotonic())
                if lost:
                    return
                say(b"250 2.0.0 taken\r\n")
            elif verb == b"QUIT":
                say(b"221 bye\r\n")
                return
            else:
                say(b"250 2.0.0 fine\r\n")


class Ledger:
    def __init__(self):
        self.lock, self.stop = threading.Lock(), threading.Event()
        self.accepted, self.unknown = set(), set()
        self.refused = collections.Counter()


def submit(server, ledger, number, user):
    n = 0
    while not ledger.stop.is_set():
        try:
            client = server.submission(user)
            while not ledger.stop.is_set():
                ident = f"m{number}-{n}"
                n += 1
                client.mail(user.address)
                codes = [client.rcpt(f"{ident}@{domain}.test")[0] for domain in ("good", "lossy")]
                if codes != [250, 250]:
                    ledger.refused[f"RCPT {max(codes)}"] += 1
                    client.rset()
                    continue
                client.putcmd("data")
                if client.getreply()[0] != 354:
                    continue
                with ledger.lock:
                    ledger.unknown.add(ident)
                client.send(message(ident, f"body {ident}\r\n" * 50, sender=user.address) + b".\r\n")
                code, _ = client.getreply()
                with ledger.lock:
                    if code == 250:
                        ledger.unknown.discard(ident)
                        ledger.accepted.add(ident)
                    elif code >= 500:
                        ledger.unknown.discard(ident)
                        ledger.refused[f"DATA {code}"] += 1
                    # 451 may come after a commit of which the worker heard nothing
                if code == -1:
                    break
                time.sleep(0.02)
            client.close()
        except TROUBLE:
            time.sleep(0.05)


def kill_some(server, chance, kills, seconds, instants):
    """Every second kill is a courier's. What was killed must be up again."""
    count, end = collections.Counter(), time.monotonic() + seconds
    for done in range(kills):
        time.sleep(chance.uniform(0.02, 2 * max(0.05, end - time.monotonic()) / (kills - done)))
        pids = server.pids()
        couriers = sorted(name for name in pids if name.startswith("courier"))
        child = chance.choice(couriers if done % 2 else sorted(pids))
        began = time.monotonic()
        while not os.path.exists(f"/proc/{pids[child]}"):
            if time.monotonic() - began > RESTART_S:
                raise Failed(f"{child} was not started again within {RESTART_S} s")
            time.sleep(0.02)
            pids = server.pids()
        os.kill(pids[child], signal.SIGKILL)
        if child in couriers:
            instants.append(time.monotonic())
        count[child] += 1
    return count


def kill_main(server, instants):
    pids = list(server.pids().values())
    os.kill(server.main_pid(), signal.SIGKILL)
    instants.append(time.monotonic())
    end = time.monotonic() + WAIT_S
    while any(os.path.exists(f"/proc/{pid}") for pid in pids):
        if time.monotonic() > end:
            raise Failed("children outlive their main process")
        time.sleep(0.02)
    instants.append(time.monotonic())  # they have worked until now
    server.stop()
    server.start()


def wait_empty(server, seconds):
    end = time.monotonic() + seconds
    while "@" in (text := server.order("queue", "list")):
        if time.monotonic() > end:
            raise Failed(f"the queue is not empty after {seconds} s:\n{text[:2000]}")
        time.sleep(0.5)


def excused(times, instants):
    """Each answer but the last came just before a courier was killed, or when it was dead already."""
    return all(any(-UNREAD_S < kill - t < WRITTEN_S for kill in instants) for t in sorted(times)[:-1])


def audit(good, lossy, ledger, instants):
    for ident in sorted(ledger.accepted):
        for name, there in (("good", good), ("lossy", lossy)):
            if ident not in there.answered:
                yield f"{ident} was accepted and never arrived at {name}.test"
    for ident, times in good.answered.items():
        if len(times) > 1 and not excused(times, instants):
            gaps = [min((kill - t for kill in instants), key=abs) for t in sorted(times)]
            yield (f"{ident} arrived {len(times)} times at good.test, though its answer was heard: "
                   f"seconds to the next kill {[round(gap, 3) for gap in gaps]}")
    for ident in set(good.answered) | set(lossy.answered):
        if ident not in ledger.accepted and ident not in ledger.unknown:
            yield f"{ident} was refused and has arrived"


def test(options, chance):
    good, lossy, ledger, instants = Elsewhere(), Elsewhere(loses=3), Ledger(), []
    with Server(CONF.format(good=good.port, lossy=lossy.port)) as server:
        user = server.user("ann")
        threads = [threading.Thread(target=submit, args=(server, ledger, n, user), daemon=True)
                   for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        half = options.kills // 2
        try:
            killed = kill_some(server, chance, half, options.seconds / 2, instants)
            time.sleep(chance.uniform(0.1, 1))
            kill_main(server, instants)
            killed += kill_some(server, chance, options.kills - half, options.seconds / 2, instants)
            time.sleep(chance.uniform(0.1, 1))
            kill_main(server, instants)
            time.sleep(1)
        finally:
            ledger.stop.set()
        for thread in threads:
            thread.join(2 * WAIT_S)
        if any(thread.is_alive() for thread in threads):
            raise Failed("a client hangs")
        wait_empty(server, options.wait)
        faults = list(audit(good, lossy, ledger, instants))
        noise = [line for line in server.complaints()
                 if "event=child.ended" not in line or " signal=9 " not in line + " "]
        faults += [f"in the log: {line}" for line in noise[:10]]
        status, out, err = server.run("store", "verify", timeout=60)
        if status:
            faults.append(f"store verify: {out}{err}")
        twice = {name: sum(len(times) > 1 for times in there.answered.values())
                 for name, there in (("good", good), ("lossy", lossy))}
        print(f"killed: {sum(killed.values())} times "
              f"({', '.join(f'{c} {n}' for c, n in sorted(killed.items()))}) and main 2 times")
        print(f"accepted: {len(ledger.accepted)}; without an answer: {len(ledger.unknown)}; refused for now: "
              f"{dict(ledger.refused)}")
        print(f"arrived: {len(good.answered)} at good.test, {twice['good']} of them twice as a courier was "
              f"killed; {len(lossy.answered)} at lossy.test, {twice['lossy']} more than once")
        if len(ledger.accepted) < 100:
            faults.append("too few messages to tell anything")
        for fault in faults[:20]:
            print("  " + fault)
        server.keep = bool(faults)
        return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=45, help="over which they are spread")
    parser.add_argument("--wait", type=float, default=150, help="for the queue to become empty")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    socket.setdefaulttimeout(WAIT_S)
    signal.signal(signal.SIGALRM, too_long)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.alarm(int(options.seconds + options.wait) + 120 + 3 * options.kills)
    try:
        faults = test(options, random.Random(options.seed))
    except (Failed, TimeoutError) as why:
        print(f"FAILED queue kill: {why}")
        faults = [str(why)]
    print(f"{int(not faults)} passed, {int(bool(faults))} failed, 0 skipped")
    return 1 if faults else 0


sys.exit(main())
