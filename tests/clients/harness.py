# SPDX-License-Identifier: ISC
"""A real server for tests with real clients, and the runner of their scenarios.

    with Server() as server:            started by ./run in a folder of its own, always ended
        ann = server.user("ann")        made by the operator's command
        server.deliver(ann, b"...")     from "another server", on port 25
        server.fetch(ann)               {uid: octets} over IMAP

The program is build/tecsmail, or the one that the environment names in TECSMAIL. All traffic
stays on the loopback.
"""
import collections
import ctypes
import email.utils
import imaplib
import json
import os
import pathlib
import random
import re
import secrets
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("TECSMAIL", str(ROOT / "build" / "tecsmail"))
MAIL = {"smtp": 25, "submission": 587, "submissions": 465, "imap": 143, "imaps": 993,
        "pop3": 110, "pop3s": 995}
USUAL = {**MAIL, "http": 80, "https": 443}
START_S, STOP_S, ANSWER_S = 60, 30, 30
imaplib._MAXLINE = 10_000_000  # a SEARCH of many thousand messages answers in one line

User = collections.namedtuple("User", "address password")


class Failed(Exception):
    """What the server did is not what it should have done."""


class Skip(Exception):
    """The scenario cannot run here."""


def check(yes, why):
    if not yes:
        raise Failed(why() if callable(why) else why)


def equal(got, wanted, what):
    check(got == wanted, f"{what}: {got!r:.300}, wanted {wanted!r:.300}")


prctl = ctypes.CDLL(None).prctl  # found before any fork


def die_with_parent():
    """Whoever runs this between fork and exec gets SIGTERM when the test has gone, however it
    went: PR_SET_PDEATHSIG."""
    prctl(1, signal.SIGTERM)


def message(subject, body="hello\r\n", sender="somebody@elsewhere.example", to="you", extra=""):
    """A mail as octets, line ends CRLF."""
    if isinstance(body, str):
        body = body.encode()
    head = (f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n"
            f"Date: {email.utils.formatdate()}\r\n"
            f"Message-ID: <{secrets.token_hex(8)}@elsewhere.example>\r\n{extra}\r\n")
    return head.encode() + body


def subject_of(octets):
    found = re.search(rb"(?im)^subject: *([^\r\n]*)", octets)
    return found.group(1).decode() if found else ""


def wait_until(condition, seconds=10, what="it"):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = condition()
        if got:
            return got
        time.sleep(0.05)
    raise Failed(f"{what} did not happen within {seconds} s")


def free_base():
    """A base below the ports that the kernel gives to clients, all of whose ports are free."""
    for _ in range(200):
        base = random.randrange(10100, 31700)
        try:
            for port in USUAL.values():
                for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                    if family == socket.AF_INET6 and not has_ipv6():
                        continue
                    with socket.socket(family) as s:
                        s.bind((host, base + port))
            return base
        except OSError:
            continue
    raise Failed("no free ports")


def has_ipv6():
    try:
        return " lo\n" in pathlib.Path("/proc/net/if_inet6").read_text()
    except OSError:
        return False


class Server:
    """The program as ./run starts it. extra is added to the configuration; disk_mib: its state
    is a disk of this size (root only); webmail: with nginx, PHP and Roundcube."""

    def __init__(self, extra="", disk_mib=0, webmail=False):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tecsmail-test."))
        self.state = self.home / "state"
        self.log_path = self.home / "server.log"
        self.extra = extra
        self.disk_mib = disk_mib
        self.webmail = webmail
        if webmail and os.geteuid() == 0:
            self.home.chmod(0o711)  # PHP's own user has to get through
        self.base = free_base()
        self.process = None
        self.keep = False
        self.access = {}
        self.users = 0

    # --- life ---

    def __enter__(self):
        if self.disk_mib:
            self.state.mkdir()
            self.resize(self.disk_mib)
        try:
            self.start()
            if self.extra:
                self.stop()
                with open(self.conf, "a") as f:
                    f.write(self.extra)
                self.start()
        except BaseException:
            self.keep = True
            self.close()
            raise
        return self

    def __exit__(self, kind, *_):
        self.keep = self.keep or kind is not None
        self.close()

    def start(self):
        self.log = open(self.log_path, "ab")
        at = self.log_path.stat().st_size
        self.process = subprocess.Popen(
            [str(ROOT / "run"), "--state", str(self.state), "--base-port", str(self.base),
             *([] if self.webmail else ["--no-webmail"])],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True,
            preexec_fn=die_with_parent, env=dict(os.environ, TECSMAIL=PROGRAM))
        end = time.monotonic() + START_S
        while "ready" not in self.log_text()[at:].splitlines():
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failed(f"the server did not start:\n{self.log_text()[at:][-3000:]}")
            time.sleep(0.05)
        self.access = json.loads((self.state / "access.json").read_text())
        self.cert = self.access["certificate"]
        self.demo1, self.demo2 = (User(u["address"], u["password"])
                                  for u in self.access["users"])

    def stop(self, how=signal.SIGTERM):
        """Ends ./run and all it started. The exit status, or None if it had to be killed."""
        if not self.process:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            status = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            status = None
        # The process group is ours alone: nothing of it may stay.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None
        self.log.close()
        return status

    def resize(self, mib):
        """The size of its disk, from now on."""
        how = "remount," if os.path.ismount(self.state) else ""
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"{how}size={mib}m", "tecsmail-test",
                               str(self.state)], capture_output=True)
        if done.returncode:
            self.close()
            raise Skip("no disk can be mounted here")

    def close(self):
        try:
            self.stop()
        finally:
            if os.path.ismount(self.state):
                subprocess.run(["umount", str(self.state)], check=False)
            if self.keep:
                print(f"kept: {self.home}", flush=True)
            else:
                shutil.rmtree(self.home, ignore_errors=True)

    def main_pid(self):
        """The process that `tecsmail serve` is."""
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                ppid = int(path.read_text().rsplit(")", 1)[1].split()[1])
                if ppid == self.process.pid and \
                        b"\0serve\0" in (path.parent / "cmdline").read_bytes():
                    return int(path.parent.name)
            except (OSError, IndexError):
                continue
        raise Failed("no process `tecsmail serve`")

    # --- the log ---

    def log_text(self):
        return self.log_path.read_text(errors="replace")

    def events(self, name, since=0):
        """The lines of one kind of event, as dictionaries, from an offset in the log on."""
        found = []
        for line in self.log_text()[since:].splitlines():
            if f" event={name} " in line + " ":
                found.append({k: v.strip('"') for k, v in
                              re.findall(r'([a-z_-]+)=("(?:[^"\\]|\\.)*"|\S*)', line)})
        return found

    def pids(self):
        """{child: pid} of those that were started last."""
        return {e["child"]: int(e["pid"]) for e in self.events("child.up")}

    def complaints(self):
        """What no log of a healthy server has in it."""
        return [line for line in self.log_text().splitlines()
                if re.search(r"event=child\.ended|event=stop\.(late|killed)|Sanitizer|"
                             r"runtime error|: BUG|event=bug", line)]

    # --- the operator's command ---

    @property
    def conf(self):
        return self.state / "tecsmail.conf"

    def run(self, *words, stdin="", timeout=ANSWER_S):
        """`tecsmail -c CONF words...`: (exit status, standard output, standard error)."""
        done = subprocess.run([PROGRAM, "-c", str(self.conf), *words], input=stdin, text=True,
                              capture_output=True, timeout=timeout)
        return done.returncode, done.stdout, done.stderr

    def order(self, *words, stdin=""):
        """The same, which must succeed: its output."""
        status, out, err = self.run(*words, stdin=stdin)
        check(status == 0, f"tecsmail {' '.join(words)}: exit status {status}: {err}{out}")
        return out

    def user(self, name=None):
        """A new user of example.test with a mailbox of his own for the scenario."""
        self.users += 1
        user = User(f"{name or 'user'}{self.users}@example.test", secrets.token_hex(10) + "-Aa1")
        self.order("user", "add", "--password-stdin", user.address, stdin=user.password + "\n")
        return user

    # --- clients of Python's own ---

    def port(self, name):
        return self.base + USUAL[name]

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.cert)
        return context

    def imap(self, user, login=True):
        client = imaplib.IMAP4_SSL("localhost", self.port("imaps"), ssl_context=self.context(),
                                   timeout=ANSWER_S)
        if login:
            client.login(*user)
        return client

    def wire(self, name, tls=None, host="127.0.0.1", timeout=ANSWER_S):
        """A raw connection; TLS where the port has it from the first octet."""
        wire = Wire(host, self.port(name), timeout, self.context())
        if tls if tls is not None else name.endswith("s"):
            wire.start_tls()
        return wire

    def smtp(self):
        """Port 25, as another server: after STARTTLS and EHLO."""
        client = smtplib.SMTP("localhost", self.port("smtp"), "mx.elsewhere.example",
                              timeout=ANSWER_S)
        client.starttls(context=self.context())
        client.ehlo()
        return client

    def submission(self, user):
        client = smtplib.SMTP_SSL("localhost", self.port("submissions"), "client.example",
                                  timeout=ANSWER_S, context=self.context())
        client.login(*user)
        return client

    def deliver(self, to, octets, sender="somebody@elsewhere.example"):
        with self.smtp() as client:
            client.sendmail(sender, [to.address if isinstance(to, User) else to], octets)

    def fetch(self, user, folder="INBOX", what="BODY.PEEK[]"):
        """{uid: octets} of all messages of a folder."""
        client = self.imap(user)
        try:
            status, text = client.select(f'"{folder}"', readonly=True)
            check(status == "OK", f"EXAMINE {folder}: {text}")
            status, rows = client.uid("FETCH", "1:*", f"({what})")
            check(status == "OK", f"FETCH: {rows}")
            return {int(re.search(rb"UID (\d+)", row[0] + rows[i + 1]).group(1)): row[1]
                    for i, row in enumerate(rows) if isinstance(row, tuple)}
        finally:
            client.logout()

    def subjects(self, user, folder="INBOX"):
        return sorted(subject_of(octets) for octets in self.fetch(user, folder).values())


class Wire:
    """Octets, lines and nothing else. A host that begins with "/" is a unix socket."""

    def __init__(self, host, port, timeout, context):
        self.context = context
        self.left = b""
        if host.startswith("/"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(host)
        else:
            self.socket = socket.create_connection((host, port), timeout)

    def start_tls(self):
        self.socket = self.context.wrap_socket(self.socket, server_hostname="localhost")

    def send(self, octets):
        if isinstance(octets, str):
            octets = octets.encode()
        self.socket.sendall(octets)

    def line(self):
        """The next line without its end; b"" when the server has closed."""
        while b"\n" not in self.left:
            some = self.socket.recv(65536)
            if not some:
                line, self.left = self.left, b""
                return line
            self.left += some
        line, _, self.left = self.left.partition(b"\n")
        return line.rstrip(b"\r")

    def expect(self, start):
        line = self.line()
        check(line.startswith(start.encode()), f"{line!r:.300} came, not {start!r}")
        return line

    def until(self, start, lines=100_000):
        """All lines up to and with the first that begins so."""
        got = []
        for _ in range(lines):
            got.append(self.line())
            if got[-1].startswith(start.encode()):
                return got
            check(got[-1] or self.left, f"closed before {start!r}: {got[-5:]!r:.600}")
        raise Failed(f"no {start!r} among {lines} lines")

    def smtp(self, command, code):
        """Sends a command; the text of its reply, whose code must be this."""
        if command is not None:
            self.send(command + "\r\n" if isinstance(command, str) else command + b"\r\n")
        lines = [self.line()]
        while lines[-1][3:4] == b"-":
            lines.append(self.line())
        text = b"\n".join(lines).decode(errors="replace")
        check(text.startswith(str(code)), f"{command!r:.100}: {text!r:.300}, wanted {code}")
        return text

    def imap(self, command, result="OK", tag="a"):
        """Sends a command; its untagged lines and the tagged one, whose result must be this."""
        self.send(f"{tag} ".encode() + (command.encode() if isinstance(command, str) else command)
                  + b"\r\n")
        lines = self.until(f"{tag} ")
        check(lines[-1].startswith(f"{tag} {result}".encode()),
              f"{command!r:.100}: {lines[-1]!r:.300}, wanted {result}")
        return lines

    def closed(self):
        """The server has ended the connection (what it still says is left aside)."""
        try:
            while self.socket.recv(65536):
                pass
        except (ConnectionError, ssl.SSLError):
            pass
        return True

    def cut(self):
        """Ends the connection at once, as a cable does: with a reset, without goodbye."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def program(*words, stdin=b"", timeout=60, env=None, status=0, **how):
    """Runs a client to its end: its output and errors together. status None: any."""
    if not shutil.which(words[0]):
        raise Skip(f"{words[0]} is not installed")
    done = subprocess.run(words, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout, env=dict(os.environ, **(env or {})),
                          preexec_fn=die_with_parent, **how)
    if status is not None and done.returncode != status:
        raise Failed(f"{words[0]}: exit status {done.returncode}, wanted {status}: "
                     f"{done.stdout[-1500:].decode(errors='replace')}")
    return done.stdout


def prepared(folder):
    """The packages of npm that its package-lock.json names are in that folder."""
    installed, wanted = folder / "node_modules/.package-lock.json", folder / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        program("npm", "ci", "--no-audit", "--no-fund", cwd=folder, timeout=120)


# --- the runner ---

SCENARIOS = []


def scenario(seconds=60):
    """Marks a function of (server) as a scenario, named as the function."""
    def mark(function):
        SCENARIOS.append((function.__name__.replace("_", "-"), seconds, function))
        return function
    return mark


def too_long(*_):
    raise TimeoutError("not done in time")


def attempt(server, name, seconds, function):
    """One scenario: "ok", or what else became of it and why."""
    signal.alarm(seconds)
    try:
        function(server)
        return "ok", ""
    except Skip as why:
        return "skip", str(why)
    except Failed as why:
        where = traceback.extract_tb(why.__traceback__)
        spot = next(f for f in reversed(where) if "harness" not in f.filename)
        return "FAILED", f"{why} ({pathlib.Path(spot.filename).name}:{spot.lineno})"
    except Exception as why:
        traceback.print_exc(file=sys.stdout)
        return "FAILED", f"{type(why).__name__}: {why}"
    finally:
        signal.alarm(0)


def run(wanted, total_s, make=Server):
    """All scenarios, or those whose name has one of the wanted words in it, with the server that
    make() gives; the exit status."""
    count = collections.Counter()
    end = time.monotonic() + total_s
    signal.signal(signal.SIGALRM, too_long)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    def tell(result, name, why):
        count[result] += 1
        print(f"{result} {name}" + (f": {why}" if why else ""), flush=True)

    with make() as server:
        for name, seconds, function in SCENARIOS:
            if wanted and not any(word in name for word in wanted):
                continue
            left = int(end - time.monotonic())
            if left < 5:
                tell("FAILED", name, f"no time was left for it of {total_s} s")
                continue
            tell(*(lambda r: (r[0], name, r[1]))(attempt(server, name, min(seconds, left),
                                                         function)))
        status = server.stop()
        tell("ok" if status == 0 else "FAILED", "stop", "" if status == 0 else f"status {status}")
        complaints = server.complaints()  # a sanitizer's too, of what was not given back
        tell("FAILED" if complaints else "ok", "log", "; ".join(complaints[:5]))
        server.keep = bool(count["FAILED"])
    print(f"{count['ok']} passed, {count['FAILED']} failed, {count['skip']} skipped", flush=True)
    return 1 if count["FAILED"] else 0
