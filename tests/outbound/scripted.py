# SPDX-License-Identifier: ISC
"""A server of SMTP that behaves as badly as it is told to.

    with Scripted(ip, say={"MAIL": ["451 4.7.1 later", OK]}, cert=cert) as server:
        ... server.mails (those it took), server.sessions (what each client said) ...

say: for each command ("" is the greeting, "BODY" what comes after the message, "TLS" the handshake)
a reply, or a list of them that are used up one after the other, the last one for ever. A reply is
a line of SMTP, several joined by newlines, octets that go out as they are, or one of the words
below.
"""
import collections
import socket
import ssl
import threading
import time

CLOSE = "close"        # the connection, at once
RESET = "reset"        # the same, as a crash does it
SILENT = "silent"      # no answer; the line stays
DRIBBLE = "dribble"    # the usual answer, one octet in a quarter of a second
OK = "ok"              # what an honest server says

EXTENSIONS = ("PIPELINING", "8BITMIME", "SIZE 60000000", "ENHANCEDSTATUSCODES", "SMTPUTF8", "DSN")
USUAL = {"": "220 {name} ESMTP", "STARTTLS": "220 2.0.0 go on", "MAIL": "250 2.1.0 sender taken",
         "RCPT": "250 2.1.5 recipient taken", "DATA": "354 send it", "BODY": "250 2.0.0 taken",
         "RSET": "250 2.0.0 forgotten", "NOOP": "250 2.0.0 yes", "QUIT": "221 2.0.0 bye"}

Mail = collections.namedtuple("Mail", "sender rcpts body tls mail_line rcpt_lines")


class Gone(Exception):
    pass


class Scripted:
    def __init__(self, ip, say=None, cert=None, name="scripted.example", extensions=EXTENSIONS,
                 tls12=False, require_tls=False):
        self.say = {verb: list(r) if isinstance(r, list) else [r] for verb, r in (say or {}).items()}
        self.name, self.extensions, self.require_tls = name, extensions, require_tls
        self.context = None
        if cert:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(cert.cert, cert.key)
            if tls12:
                self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.mails, self.sessions, self.lock = [], [], threading.Lock()
        self.listener = socket.create_server((ip, 25), backlog=100,
                                             family=socket.AF_INET6 if ":" in ip else socket.AF_INET)
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.listener.fileno() < 0:
            return
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for session in self.sessions[:]:
            try:
                session.line.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self):
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(line,), daemon=True).start()

    def serve(self, line):
        line.settimeout(300)
        session = Session(self, line)
        with self.lock:
            self.sessions.append(session)
        try:
            session.run()
        except (OSError, Gone, ValueError):
            pass
        finally:
            session.line.close()

    def next(self, verb):
        """What it says now."""
        with self.lock:
            replies = self.say.get(verb, [OK])
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
        return USUAL.get(verb, "502 5.5.1 not known").format(name=self.name) if reply == OK else reply

    def said(self, verb):
        """How often clients said this."""
        return sum(command.upper().startswith(verb) for s in self.sessions for command in s.commands)


class Session:
    def __init__(self, server, line):
        self.server, self.line = server, line
        self.left, self.tls, self.commands, self.when = b"", None, [], time.monotonic()
        self.forget()

    def forget(self):
        self.mail_line, self.rcpt_lines = None, []

    def read_line(self):
        while b"\n" not in self.left:
            some = self.line.recv(65536)
            if not some:
                raise Gone
            self.left += some
        line, _, self.left = self.left.partition(b"\n")
        return line.rstrip(b"\r")

    def read_octets(self, n):
        while len(self.left) < n:
            some = self.line.recv(65536)
            if not some:
                raise Gone
            self.left += some
        got, self.left = self.left[:n], self.left[n:]
        return got

    def answer(self, verb, usual=None):
        """Says what is due; its first digit."""
        reply = self.server.next(verb)
        slow = reply == DRIBBLE
        if slow:
            reply = USUAL[verb].format(name=self.server.name) if usual is None else usual
        elif usual is not None and reply.startswith("502 5.5.1 not known"):
            reply = usual
        if reply == CLOSE:
            raise Gone
        if reply == RESET:
            self.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            raise Gone
        if reply == SILENT:
            while self.line.recv(65536):
                pass
            raise Gone
        octets = reply if isinstance(reply, bytes) else reply.replace("\n", "\r\n").encode() + b"\r\n"
        if not slow:
            self.line.sendall(octets)
        else:
            for at in range(len(octets)):
                self.line.sendall(octets[at:at + 1])
                time.sleep(0.25)
        return octets[:1]

    def hello(self, words):
        rows = [self.server.name, *self.server.extensions]
        if self.server.context and not self.tls:
            rows.append("STARTTLS")
        return "\n".join(f"250{'-' if n < len(rows) - 1 else ' '}{row}" for n, row in enumerate(rows))

    def start_tls(self):
        reply = self.server.next("TLS")
        if reply == CLOSE:
            raise Gone
        if isinstance(reply, bytes):
            self.line.recv(65536)
            self.line.sendall(reply)
            raise Gone
        self.line = self.server.context.wrap_socket(self.line, server_side=True)
        self.left, self.tls = b"", (self.line.version(), self.line.cipher()[0])
        self.forget()

    def take(self, body):
        with self.server.lock:
            at = len(self.server.mails)
        if self.answer("BODY") == b"2":
            with self.server.lock:
                self.server.mails.insert(at, Mail(
                    self.path(self.mail_line), [self.path(r) for r in self.rcpt_lines], body,
                    self.tls, self.mail_line, self.rcpt_lines))
        self.forget()

    @staticmethod
    def path(line):
        return line[line.index("<") + 1:line.index(">")]

    def data(self):
        body = []
        while (line := self.read_line()) != b".":
            body.append(line[1:] if line.startswith(b".") else line)
        return b"\r\n".join(body) + b"\r\n"

    def run(self):
        self.answer("")
        chunks = b""
        while True:
            command = self.read_line().decode(errors="replace")
            self.commands.append(command)
            verb = command.split(" ")[0].upper()
            if self.server.require_tls and not self.tls and verb in ("MAIL", "RCPT", "DATA", "BDAT"):
                self.line.sendall(b"530 5.7.0 Must issue a STARTTLS command first\r\n")
            elif verb in ("EHLO", "HELO"):
                self.answer(verb, self.hello(command) if verb == "EHLO" else f"250 {self.server.name}")
            elif verb == "STARTTLS" and self.server.context:
                if self.answer(verb) == b"2":
                    self.start_tls()
            elif verb == "MAIL":
                if self.answer(verb) == b"2":
                    self.mail_line = command
            elif verb == "RCPT" and not self.mail_line:
                self.line.sendall(b"503 5.5.1 no sender\r\n")
            elif verb == "RCPT":
                if self.answer(verb) == b"2":
                    self.rcpt_lines.append(command)
            elif verb == "DATA" and not self.rcpt_lines:
                self.line.sendall(b"503 5.5.1 no recipient\r\n")
            elif verb == "DATA":
                if self.answer(verb) == b"3":
                    self.take(self.data())
            elif verb == "BDAT":
                words = command.split()
                chunks += self.read_octets(int(words[1]))
                if words[-1].upper() != "LAST":
                    self.line.sendall(b"250 2.0.0 more\r\n")
                else:
                    self.take(chunks)
                    chunks = b""
            else:
                self.answer(verb)
                if verb == "RSET":
                    self.forget()
                if verb == "QUIT":
                    raise Gone
