# SPDX-License-Identifier: ISC
"""Start, restart, reload, limits and end of the program. Each has a server of its own."""
import hashlib
import os
import pathlib
import pwd
import random
import signal
import smtplib
import subprocess
import tempfile
import threading
import time

from harness import (PROGRAM, ROOT, Server, Skip, User, Wire, check, equal, free_base, message,
                     program, scenario, wait_until)
from libraries import Idler


def certificate(server):
    """A fingerprint of the certificate that a new connection sees."""
    context = server.context()
    context.check_hostname = False
    context.verify_mode = 0
    with server.wire("imaps", tls=False) as w:
        w.context = context
        w.start_tls()
        return hashlib.sha256(w.socket.getpeercert(True)).hexdigest()


def new_certificate(server):
    folder = server.state / "tls"
    program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "30", "-subj", "/CN=second.example.test", "-keyout",
            str(folder / "key.new"), "-out", str(folder / "cert.new"), "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1")
    os.replace(folder / "key.new", folder / "key.pem")
    os.replace(folder / "cert.new", folder / "cert.pem")


def reload(server):
    seen = len(server.events("reload"))
    os.kill(server.main_pid(), signal.SIGHUP)
    wait_until(lambda: len(server.events("reload")) > seen, 20, "the reload")


def add_user(server, address, password):
    return server.run("user", "add", "--password-stdin", address, stdin=password + "\n")[0]


@scenario()
def passwords(_):
    """The operator's rule and his list, read by main, in the keeper; the list of a reload."""
    with tempfile.TemporaryDirectory() as folder:
        leaked = pathlib.Path(folder, "leaked.txt")
        known = [hashlib.sha1(f"Stolen-{i:05}".encode()).hexdigest().upper() for i in range(5000)]
        leaked.write_text("".join(f"{h}:{i}\r\n" for i, h in enumerate(sorted(known))))
        extra = f'password {{\n require_classes = 3\n leaked = "{leaked}"\n}}\n'
        with Server(extra=extra) as server:
            equal(add_user(server, "a@example.test", "Stolen-04711"), 1, "a leaked password")
            equal(add_user(server, "a@example.test", "onlysmall"), 1, "one kind of characters")
            equal(add_user(server, "a@example.test", "Stolen-05000"), 0, "one not on the list")
            again = hashlib.sha1(b"Stolen-05001").hexdigest()
            fresh = pathlib.Path(folder, "fresh.txt")
            fresh.write_text(again + "\n")
            fresh.rename(leaked)
            reload(server)
            equal(add_user(server, "b@example.test", "Stolen-05001"), 1, "the list of the reload")
            equal(add_user(server, "b@example.test", "Stolen-04711"), 0, "the list before")
            # A hash brought along becomes one of ours at the first login, and works on.
            hashed = program("openssl", "passwd", "-6", "-salt", "saltsalt", "schlicht").decode()
            server.order("user", "add", "--hash", "--password-stdin", "c@example.test",
                         stdin=hashed)
            for _ in range(2):
                server.imap(User("c@example.test", "schlicht")).logout()
            equal(len(server.events("password.upgrade")), 1, "hashes made ours")


@scenario(120)
def second_start(_):
    """A second start finds users, mail and flags of the first."""
    with Server() as server:
        user = server.user("again")
        server.deliver(user, message("before"))
        client = server.imap(user)
        client.select("INBOX")
        client.store("1", "+FLAGS", "(\\Flagged kept)")
        client.create("Work")
        client.append("Work", None, None, message("filed"))
        validity = client.response("UIDVALIDITY")
        client.logout()
        passwords = server.demo1, server.demo2
        before = server.fetch(user)
        equal(server.stop(), 0, "the exit status of the first run")
        server.start()
        equal((server.demo1, server.demo2), passwords, "the passwords of the second run")
        equal(server.fetch(user), before, "mail of the first run")
        equal(server.subjects(user, "Work"), ["filed"], "a folder of the first run")
        client = server.imap(user)
        client.select("INBOX")
        equal(client.response("UIDVALIDITY"), validity, "UIDVALIDITY")
        check(b"kept" in client.fetch("1", "(FLAGS)")[1][0], "the flags of the first run")
        client.logout()
        server.deliver(user, message("after"))
        equal(sorted(server.fetch(user)), [1, 2], "UIDs")
        # Port 25 takes mail for a user who has never logged in.
        server.deliver(server.demo2, message("first contact"))
        equal(server.subjects(server.demo2), ["first contact"], "first contact")


@scenario(60)
def second_server(_):
    """Whoever starts a server with the folder of one that runs is told so and disturbs nobody."""
    with Server() as server:
        conf = server.conf.read_text()
        run = program(str(ROOT / "run"), "--state", str(server.state), "--base-port",
                      str(free_base()), env={"TECSMAIL": PROGRAM}, status=1)
        check(b"a server runs with" in run, f"./run said: {run}")
        equal(server.conf.read_text(), conf, "the configuration")
        other = server.home / "other.conf"
        other.write_text(f"state = {server.state}\nlisten {{\n" + "".join(
            f"\t{name} = {{}}\n" for name in ("smtp", "submission", "submissions", "imap",
                                            "imaps", "pop3", "pop3s")) + "}\n"
            f"tls {{ certificate = {server.cert}\n key = {server.state}/tls/key.pem }}\n")
        serve = program(PROGRAM, "-c", str(other), "serve", status=1)
        check(b"another server runs with" in serve, f"serve said: {serve}")
        server.order("domain", "list")
        server.deliver(server.demo1, message("still here"))


@scenario(120)
def reload_and_stop(_):
    with Server() as server:
        user = server.user("reload")
        old = certificate(server)
        idler = Idler(server, user)
        sender = server.wire("smtp")
        sender.smtp(None, 220)
        sender.smtp("EHLO mx.elsewhere.example", 250)
        pids = server.pids()

        # A new certificate: who is connected stays so, who comes sees the new one.
        new_certificate(server)
        equal(certificate(server), old, "the certificate before the reload")
        reload(server)
        check(certificate(server) != old, "the old certificate after the reload")
        server.deliver(user, message("across the reload"))  # verified against the new one
        idler.saw(rb"^\* 1 EXISTS")
        sender.smtp("NOOP", 250)
        equal(server.pids(), pids, "processes after the reload")

        # A configuration that makes no sense changes nothing.
        conf = server.conf.read_text()
        server.conf.write_text(conf + "nonsense = 1\n")
        os.kill(server.main_pid(), signal.SIGHUP)
        wait_until(lambda: server.events("reload.refused"), 20, "the refusal")
        check("tecsmail.conf:" in server.events("reload.refused")[0]["reason"], "no file and line")
        server.conf.write_text(conf)
        server.deliver(user, message("after the refusal"))
        idler.saw(rb"^\* 2 EXISTS")

        # Other limits count for who comes after the reload.
        server.conf.write_text(conf + "limits { message_size = 1M }\n")
        reload(server)
        with server.smtp() as client:
            equal(client.esmtp_features["size"].split()[0], str(1 << 20), "SIZE after a reload")
        server.conf.write_text(conf)
        reload(server)

        # The end: who is connected hears of it, who is just being served is not cut off.
        busy = server.wire("smtp")
        busy.smtp(None, 220)
        busy.smtp("EHLO mx.elsewhere.example", 250)
        started = time.monotonic()
        os.kill(server.main_pid(), signal.SIGTERM)
        idler.saw(rb"^\* BYE")
        sender.smtp(None, 421)
        busy.smtp(None, 421)
        status = server.stop()
        check(status is not None and time.monotonic() - started < 20, f"stopping: {status}")
        equal(server.events("child.ended"), [], "processes that ended by themselves")


@scenario(120)
def reload_under_load(_):
    """Nobody who sends, fetches or waits notices ten reloads."""
    with Server() as server:
        user = server.user("load")
        faults, sent, over = [], [], threading.Event()

        def send():
            try:
                with server.smtp() as client:
                    while not over.is_set():
                        client.sendmail("a@elsewhere.example", [user.address], message("load"))
                        sent.append(1)
            except (OSError, smtplib.SMTPException) as why:
                faults.append(why)

        senders = [threading.Thread(target=send, daemon=True) for _ in range(6)]
        for sender in senders:
            sender.start()
        client = server.imap(user)
        for _ in range(10):
            reload(server)
            client.select("INBOX")
            equal(client.fetch("1:*", "(UID FLAGS)")[0], "OK", "FETCH")
            time.sleep(0.1)
        over.set()
        for sender in senders:
            sender.join(20)
        equal(faults, [], "connections that broke")
        equal(len(server.fetch(user)), len(sent), "mails")
        client.logout()


@scenario(120)
def another_user(_):
    """Started as root, the processes that face the network are somebody else."""
    if os.geteuid():
        raise Skip("only root can become somebody else")
    with Server() as server:
        server.stop()
        nobody = pwd.getpwnam("nobody").pw_uid
        server.home.chmod(0o755)
        for path in (server.state, *server.state.rglob("*")):
            os.chown(path, nobody, -1)
        with open(server.conf, "a") as f:
            f.write("user = nobody\n")
        server.start()
        for child, pid in server.pids().items():
            equal(os.stat(f"/proc/{pid}").st_uid, nobody, f"the user of {child}")
        user = server.user("other")
        server.deliver(user, message("hello"))
        equal(server.subjects(user), ["hello"], "arrived")
        with Wire(server.access["lmtp"], None, 10, None) as w:
            w.smtp(None, 220)


@scenario(120)
def limits(_):
    with Server("limits { idle = 2s  message_size = 1M  recipients = 10  connections = 8 }\n"
                "workers { mx = 1  session = 1 }\n") as server:
        user = server.user("limit")
        with server.smtp() as client:
            code, text = client.mail("a@elsewhere.example", ["SIZE=2000000"])
            equal(code, 552, "SIZE over the limit")
            client.mail("a@elsewhere.example")
            codes = [client.rcpt(user.address)[0] for _ in range(12)]
            equal(codes, [250] * 10 + [452] * 2, "RCPT")
            equal(client.data(message("large", "x" * 76 + "\r\n") * 20_000)[0], 552, "DATA")
        client = server.imap(user)
        status, text = client.append("INBOX", None, None, message("large", "x" * 2_000_000))
        check(status == "NO" and b"TOOBIG" in text[0], f"APPEND: {text}")
        client.logout()
        with server.wire("imaps") as w:
            w.expect("* OK")
            w.imap(f"LOGIN {user.address} {user.password}")
            started = time.monotonic()
            w.expect("* BYE")
            check(1 < time.monotonic() - started < 10, "the time until BYE")
            check(w.closed(), "open after BYE")
        idler = Idler(server, user)
        idler.saw(rb"^\* BYE")
        with server.wire("imaps") as w:  # an octet a second is no command
            w.expect("* OK")
            w.imap(f"LOGIN {user.address} {user.password}")
            started = time.monotonic()
            try:
                for octet in b"a1 NOOP nonsense that takes its time":
                    w.send(bytes([octet]))
                    w.socket.settimeout(0.7)
                    try:
                        if w.line().startswith(b"* BYE"):
                            break
                    except TimeoutError:
                        pass
                check(time.monotonic() - started < 10, "a slow line was waited for")
            except ConnectionError:
                pass
        wires = [server.wire("imap") for _ in range(12)]
        got = []
        for w in wires:
            try:
                got.append(w.line()[:4])
            except ConnectionError:
                got.append(b"")
        equal((got.count(b"* OK"), got.count(b"")), (8, 4), "connections of one process")
        for w in wires:
            w.close()
        time.sleep(0.5)
        server.deliver(user, message("fine"))
        equal(server.subjects(user), ["fine"], "after all that")
        equal(server.complaints(), [], "complaints")


@scenario(120)
def disk_full(_):
    """Nothing more is acknowledged, what was is there, reading goes on, and so does all when
    there is room again: without a restart."""
    with Server(disk_mib=48) as server:
        user = server.user("full")
        body = random.Random(1).randbytes(600_000).hex()
        body = "\r\n".join(body[i:i + 76] for i in range(0, len(body), 76)) + "\r\n"
        taken, code = 0, 250
        while code == 250 and taken < 100:
            with server.smtp() as client:
                client.mail("a@elsewhere.example")
                code = client.rcpt(user.address)[0]
                if code == 250:
                    code = client.data(message(f"mail {taken}", body))[0]
            taken += code == 250
        check(taken >= 5 and 400 <= code < 500, f"{taken} taken, then {code}")
        equal(sorted(server.fetch(user)), list(range(1, taken + 1)), "those that were taken")
        client = server.imap(user)
        status, text = client.append("INBOX", None, None, message("more", body))
        check(status == "NO" and b"UNAVAILABLE" in text[0], f"APPEND: {status} {text}")
        client.select("INBOX")
        status, text = client.store("1:3", "+FLAGS.SILENT", "(\\Deleted)")
        if status == "OK":
            client.expunge()
            taken -= 3
        client.logout()
        server.resize(96)
        server.deliver(user, message("room again", body))
        equal(len(server.fetch(user)), taken + 1, "with room again")
        equal(server.complaints(), [], "complaints")
        server.stop()
        server.start()
        equal(len(server.fetch(user)), taken + 1, "after a restart")
        server.order("store", "verify")


@scenario()
def wrong_configurations(server):
    """Each is refused with file and line, by `serve` and by `check --config`."""
    home = server.home / "wrong"
    home.mkdir()
    good = server.conf.read_text()
    for number, (text, line, word) in enumerate((
            ("hostname = a.example\nhostnam = b\n", 2, "hostnam"),
            ("listen {\n\tsmtp = {\"127.0.0.1:1\"}\n\tsmtpx = {\"127.0.0.1:2\"}\n}\n", 3, "smtpx"),
            ("\n\nlimits {\n\tmessage_size = many\n}\n", 4, "message_size"),
            ("limits { idle = \"5 parsecs\" }\n", 1, "idle"),
            ("listen {\n\timap = {\"nowhere\"}\n}\n", 2, "imap"),
            ("log = loud\n", 1, "log"),
            ("nonsense {\n a = 1\n}\n", 1, "nonsense"),
            ("hostname = \"never closed\nstate = .\n", None, ""),
            ("listen {\n", None, ""))):
        conf = home / f"{number}.conf"
        conf.write_text(text)
        for words in (["serve"], ["check", "--config"]):
            done = subprocess.run([PROGRAM, "-c", str(conf), *words], capture_output=True,
                                  text=True, timeout=20, stdin=subprocess.DEVNULL)
            equal(done.returncode, 1, f"{text!r}: exit status of {words} ({done.stderr})")
            where = f"{conf}:{line}: " if line else f"{conf}:"
            check(where in done.stderr and word in done.stderr, f"{text!r}: {done.stderr}")
    # The same ports a second time; a certificate that is none; no file at all.
    taken = home / "taken.conf"
    taken.write_text(good.replace("state = .", f"state = {home}/other"))
    (home / "tls").mkdir()
    for name in ("cert.pem", "key.pem"):
        (home / "tls" / name).write_bytes((server.state / "tls" / name).read_bytes())
    got = program(PROGRAM, "-c", str(taken), "serve", status=1, timeout=30)
    check(str(server.port("smtp")).encode() in got, f"ports in use: {got}")
    (home / "tls" / "cert.pem").write_text("this is no certificate\n")
    got = program(PROGRAM, "-c", str(taken), "serve", status=1, timeout=30)
    check(b"cert" in got.lower(), f"no certificate: {got}")
    got = program(PROGRAM, "-c", str(home / "none.conf"), "serve", status=1, timeout=30)
    check(b"none.conf" in got, f"no file: {got}")
    check("demo1@example.test" in server.order("user", "list"), "the first server was disturbed")
