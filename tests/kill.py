#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Processes are killed at any instant under load; every acknowledged message is there once.

    tests/kill.py [--kills N] [--seconds N] [--seed N]

Four clients send by SMTP on port 25, each mail to two users; four send by IMAP APPEND, flag some
of their mails and move some. Each mail has an id of its own and is sent once. Meanwhile a worker,
or the keeper, gets SIGKILL again and again, and twice the main process with all of its children.
At the end, over IMAP:

    acknowledged (250 after the dot, OK to APPEND)      there exactly once, for each recipient
    APPENDUID, COPYUID                                  the UID that the message has
    flagged (OK to STORE)                               has the flag
    moved (OK to MOVE)                                  in the other folder; without an answer in
                                                        one of the two
    sent without an answer                              there at most once
    UIDs                                                none twice

The program is build/tecsmail, or what the environment names in TECSMAIL.
"""
import argparse
import collections
import imaplib
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

SMTP_CLIENTS, IMAP_CLIENTS = 4, 4
WORKERS = "workers { mx = 3  session = 3 }\n"  # more of them, so that each rests between kills
WAIT_S = 20
RESTART_S = 45  # who dies often rests for up to 30 s: proc/supervise.c
TROUBLE = (OSError, ssl.SSLError, smtplib.SMTPException, imaplib.IMAP4.error, EOFError)


class Ledger:
    """What the clients know of each mail: the id and what was answered."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = {}  # id -> UID that APPENDUID told, or None
        self.unknown = set()    # sent, and then no answer
        self.flagged = set()
        self.moved = {}         # id -> UID that COPYUID told, or None: no answer
        self.refused = collections.Counter()
        self.stop = threading.Event()

    def sent(self, ident, uid=None):
        with self.lock:
            self.unknown.discard(ident)
            self.acknowledged[ident] = uid

    def sending(self, ident):
        with self.lock:
            self.unknown.add(ident)

    def not_taken(self, ident, why):
        with self.lock:
            self.unknown.discard(ident)
            self.refused[why] += 1


def by_smtp(server, ledger, number, users):
    """One connection after the other, as long as each of them holds."""
    n = 0
    while not ledger.stop.is_set():
        try:
            client = smtplib.SMTP("127.0.0.1", server.port("smtp"), "mx.elsewhere.example",
                                  timeout=WAIT_S)
            if number % 2:
                client.starttls(context=server.context_any_name)
            client.ehlo()
            while not ledger.stop.is_set():
                ident = f"s{number}-{n}"
                n += 1
                client.mail("a@elsewhere.example")
                codes = [client.rcpt(user.address)[0] for user in users]
                if codes != [250] * len(users):
                    ledger.refused[f"RCPT {max(codes)}"] += 1
                    client.rset()
                    continue
                client.putcmd("data")
                if client.getreply()[0] != 354:
                    continue
                ledger.sending(ident)
                client.send(message(ident, f"body {ident}\r\n" * 50) + b".\r\n")
                code, text = client.getreply()
                if code == 250:
                    ledger.sent(ident)
                elif code == -1:
                    break
                elif code >= 500:
                    ledger.not_taken(ident, f"DATA {code}")
                else:  # 451 may come after a commit of which the worker heard nothing
                    ledger.refused[f"DATA {code}"] += 1
                time.sleep(0.01)
            client.close()
        except TROUBLE:
            time.sleep(0.02)


def change(client, ledger, ident, uid, n):
    """Flags every second message and moves every third."""
    if n % 2 == 0 and client.uid("STORE", uid, "+FLAGS.SILENT", "(\\Flagged)")[0] == "OK":
        ledger.flagged.add(ident)
    if n % 3 == 0:
        ledger.moved[ident] = None
        client.untagged_responses.clear()
        if client.uid("MOVE", uid, "Archive")[0] == "OK":
            ledger.moved[ident] = int(client.response("COPYUID")[1][0].split()[2])


def by_imap(server, ledger, number, user):
    n = 0
    while not ledger.stop.is_set():
        try:
            client = imaplib.IMAP4_SSL("127.0.0.1", server.port("imaps"), timeout=WAIT_S,
                                       ssl_context=server.context_any_name)
            client.login(*user)
            client.select("INBOX")
            while not ledger.stop.is_set():
                ident = f"i{number}-{n}"
                n += 1
                ledger.sending(ident)
                status, text = client.append("INBOX", None, None,
                                             message(ident, f"body {ident}\r\n" * 50))
                if status == "OK":
                    uid = re.search(rb"APPENDUID \d+ (\d+)", text[0]).group(1).decode()
                    ledger.sent(ident, int(uid))
                    change(client, ledger, ident, uid, n)
                elif b"[UNAVAILABLE]" in text[0]:
                    ledger.refused["APPEND NO"] += 1
                else:
                    ledger.not_taken(ident, text[0].decode())
                time.sleep(0.01)
            client.logout()
        except TROUBLE:
            time.sleep(0.02)


def kill_some(server, chance, kills, seconds):
    """Kills at random instants; what was killed must be up again. {child: times}"""
    count = collections.Counter()
    end = time.monotonic() + seconds
    for done in range(kills):
        time.sleep(chance.uniform(0.02, 2 * max(0.05, end - time.monotonic()) / (kills - done)))
        pids = server.pids()
        child = chance.choice(sorted(pids))
        began = time.monotonic()
        while not os.path.exists(f"/proc/{pids[child]}"):  # it rests after an earlier death
            if time.monotonic() - began > RESTART_S:
                raise Failed(f"{child} was not started again within {RESTART_S} s")
            time.sleep(0.02)
            pids = server.pids()
        os.kill(pids[child], signal.SIGKILL)
        count[child] += 1
    end = time.monotonic() + RESTART_S
    while any(not os.path.exists(f"/proc/{pid}") for pid in server.pids().values()):
        if time.monotonic() > end:
            raise Failed("not all processes are up again")
        time.sleep(0.05)
    return count


def kill_main(server):
    """All of it, at once; then a new start on the same state."""
    pids = list(server.pids().values())
    os.kill(server.main_pid(), signal.SIGKILL)
    end = time.monotonic() + WAIT_S
    while any(os.path.exists(f"/proc/{pid}") for pid in pids):
        if time.monotonic() > end:
            raise Failed("children outlive their main process")
        time.sleep(0.02)
    server.stop()
    server.start()


def found(server, user, folder="INBOX"):
    """[(UID, id, flagged)] of a folder, in order."""
    client = server.imap(user)
    client.select(folder, readonly=True)
    rows = client.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    client.logout()
    return [(int(re.search(rb"UID (\d+)", row[0]).group(1)),
             re.search(rb"Subject: (\S+)", row[1]).group(1).decode(), b"\\Flagged" in row[0])
            for row in rows if isinstance(row, tuple)]


def audit_folder(name, messages, ledger):
    """No UID twice, no id twice, none that was refused: what is wrong, as sentences."""
    uids = [uid for uid, _, _ in messages]
    if uids != sorted(set(uids)):
        yield f"{name}: UIDs twice or out of order"
    for ident, times in collections.Counter(ident for _, ident, _ in messages).items():
        if times > 1:
            yield f"{name}: {ident} is there {times} times"
        if ident not in ledger.acknowledged and ident not in ledger.unknown:
            yield f"{name}: {ident} was refused and is there"


def audit_mails(name, messages, ledger):
    """What came by SMTP."""
    there = {ident for _, ident, _ in messages}
    for ident in ledger.acknowledged:
        if ident[0] == "s" and ident not in there:
            yield f"{name}: {ident} was acknowledged and is gone"


def audit_appended(inbox, archive, ledger):
    here = {ident: (uid, flag) for uid, ident, flag in inbox}
    away = {ident: (uid, flag) for uid, ident, flag in archive}
    for ident, uid in ledger.acknowledged.items():
        if ident[0] != "i":
            continue
        if (ident in here) + (ident in away) != 1:
            yield f"{ident} was acknowledged; in INBOX {ident in here}, in Archive {ident in away}"
            continue
        place, told = (here, uid) if ident in here else (away, ledger.moved.get(ident))
        if ident in away and ident not in ledger.moved:
            yield f"{ident} was never moved and is in Archive"
        if ident in here and ledger.moved.get(ident):
            yield f"{ident} was moved and is in INBOX"
        if told and place[ident][0] != told:
            yield f"{ident} was told UID {told} and has {place[ident][0]}"
        if ident in ledger.flagged and not place[ident][1]:
            yield f"{ident} has lost its flag"


def test(options, chance):
    with Server(WORKERS) as server:
        server.context_any_name = server.context()
        ledger = Ledger()
        ann, bob, carl = server.user("ann"), server.user("bob"), server.user("carl")
        threads = [threading.Thread(target=by_smtp, args=(server, ledger, n, (ann, bob)))
                   for n in range(SMTP_CLIENTS)]
        threads += [threading.Thread(target=by_imap, args=(server, ledger, n, carl))
                    for n in range(IMAP_CLIENTS)]
        for thread in threads:
            thread.daemon = True
            thread.start()
        try:
            half = options.kills // 2
            killed = kill_some(server, chance, half, options.seconds / 2)
            time.sleep(chance.uniform(0.1, 1))
            kill_main(server)
            killed += kill_some(server, chance, options.kills - half, options.seconds / 2)
            time.sleep(chance.uniform(0.1, 1))
            kill_main(server)
            time.sleep(1)
        finally:
            ledger.stop.set()
        for thread in threads:
            thread.join(2 * WAIT_S)
        if any(thread.is_alive() for thread in threads):
            raise Failed("a client hangs")

        folders = {"ann": found(server, ann), "bob": found(server, bob),
                   "carl": found(server, carl), "carl's archive": found(server, carl, "Archive")}
        faults = [fault for name, rows in folders.items()
                  for fault in audit_folder(name, rows, ledger)]
        faults += [fault for name in ("ann", "bob")
                   for fault in audit_mails(name, folders[name], ledger)]
        faults += audit_appended(folders["carl"], folders["carl's archive"], ledger)
        noise = [line for line in server.complaints()
                 if "event=child.ended" not in line or " signal=9 " not in line + " "]
        faults += [f"in the log: {line}" for line in noise[:10]]
        status, out, err = server.run("store", "verify", timeout=60)
        if status:
            faults.append(f"store verify: {out}{err}")
        by_kind = collections.Counter(ident[0] for ident in ledger.acknowledged)
        arrived = {ident for rows in folders.values() for _, ident, _ in rows}
        print(f"killed: {sum(killed.values())} times "
              f"({', '.join(f'{c} {n}' for c, n in sorted(killed.items()))}) and main 2 times")
        print(f"acknowledged: {by_kind['s']} by SMTP to two users each, {by_kind['i']} by APPEND")
        print(f"without an answer: {len(ledger.unknown)}, of which "
              f"{len(ledger.unknown & arrived)} are there")
        print(f"refused for now: {dict(ledger.refused)}")
        print(f"flagged: {len(ledger.flagged)}; moved: {sum(map(bool, ledger.moved.values()))}, "
              f"without an answer: {sum(uid is None for uid in ledger.moved.values())}")
        print(f"fetched: {', '.join(f'{n} {len(m)}' for n, m in folders.items())}")
        if by_kind["s"] < 100 or by_kind["i"] < 100:
            faults.append("too few messages to tell anything")
        for fault in faults[:20]:
            print("  " + fault)
        server.keep = bool(faults)
        return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=50, help="over which they are spread")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    socket.setdefaulttimeout(WAIT_S)
    signal.signal(signal.SIGALRM, too_long)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.alarm(int(options.seconds) + 120 + 3 * options.kills)
    try:
        faults = test(options, random.Random(options.seed))
    except (Failed, TimeoutError) as why:
        print(f"FAILED kill: {why}")
        faults = [str(why)]
    print(f"{int(not faults)} passed, {int(bool(faults))} failed, 0 skipped")
    return 1 if faults else 0


sys.exit(main())
