# SPDX-License-Identifier: ISC
"""Other people's mail servers, on loopback addresses: certificates, and servers that do as told.

    with Hosts(folder) as hosts:
        good = hosts.host("mx.example.test")                  a certificate of hosts.authority
        bad = hosts.host("mx2.example.test", starttls="broken")
        ... good.ip, hosts.port, good.tlsa(), good.sessions ...

All listen at one port, each at an address of its own in 127.0.0.0/8 that no other process's hosts
have; "::1" may be one of them. Each keeps what it was told: sessions[i].commands, .mails, .tls.
"""
import contextlib
import os
import pathlib
import socket
import ssl
import subprocess
import threading
import time

OFFERS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 50000000")


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, **more)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.decode()}")
    return done.stdout


class Certificate:
    """A key and a certificate for names, signed by an authority or, without one, by its own key."""

    def __init__(self, folder, label, names, by=None, authority=False, expired=False, rsa=False):
        base = pathlib.Path(folder) / label
        self.key, self.cert = f"{base}.key", f"{base}.crt"
        kind = ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"] if rsa else ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        run("openssl", "genpkey", "-algorithm", *kind, "-out", self.key)
        ext = pathlib.Path(f"{base}.ext")
        alt = ",".join(("IP:" if n.replace(".", "").isdigit() or ":" in n else "DNS:") + n for n in names)
        ext.write_text("basicConstraints=critical,CA:TRUE\n" if authority else f"subjectAltName={alt}\n")
        run("openssl", "req", "-new", "-key", self.key, "-subj", f"/CN={label}", "-out", f"{base}.csr")
        # x509 has no option for dates in the past before OpenSSL 3.4: a negative number of days
        dates = ["-days", "-1" if expired else "30"]
        signer = ["-CA", by.cert, "-CAkey", by.key, "-CAcreateserial"] if by else ["-signkey", self.key]
        run("openssl", "x509", "-req", "-in", f"{base}.csr", *signer, *dates, "-extfile", str(ext),
            "-out", self.cert)
        self.whole = f"{base}.pem"
        pathlib.Path(self.whole).write_text("".join(pathlib.Path(c.cert).read_text() for c in (self, by or self)))

    def digest(self, selector):
        what = ["-pubkey", "-noout"] if selector else ["-outform", "DER"]
        out = run("openssl", "x509", "-in", self.cert, *what)
        if selector:
            out = run("openssl", "pkey", "-pubin", "-outform", "DER", input=out)
        return run("openssl", "dgst", "-sha256", "-r", input=out).decode().split()[0]

    def tlsa(self, usage=3, selector=1):
        """The data of a TLSA record, by SHA-256."""
        return f"{usage} {selector} 1 {self.digest(selector)}"


class Session:
    def __init__(self):
        self.commands, self.mails, self.tls, self.sni = [], [], None, None


class Host:
    """A server. starttls: "yes", "no" (not offered), "refused" (454), "broken" (no TLS behind the
    220), "hangup", "stuck" (nothing comes). chain: it sends its authority's certificate too. answer(session, line): a reply instead of the usual one,
    "" to hang up, or None. greeting "": none is ever sent."""

    def __init__(self, ip, port, cert, greeting="220 mx", offers=OFFERS, starttls="yes", tls=False,
                 answer=None, ciphers=None, chain=False):
        self.ip, self.port, self.cert, self.greeting, self.offers = ip, port, cert, greeting, offers
        self.starttls, self.implicit, self.answer = starttls, tls, answer
        self.sessions, self.closing = [], False
        self.context = None
        if cert:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(cert.whole if chain else cert.cert, cert.key)
            self.context.sni_callback = self.note_sni
            if ciphers:  # of TLS 1.2, which is then all that there is
                self.context.maximum_version = ssl.TLSVersion.TLSv1_2
                self.context.set_ciphers(ciphers)
        self.listener = socket.create_server((ip, port), family=socket.AF_INET6 if ":" in ip else socket.AF_INET)
        threading.Thread(target=self.accept, daemon=True).start()

    def tlsa(self, usage=3, selector=1):
        return self.cert.tlsa(usage, selector)

    def note_sni(self, sock, name, _context):
        sock.told_sni = name

    def accept(self):
        while not self.closing:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=[sock], daemon=True).start()

    def close(self):
        self.closing = True
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self, sock):
        session = Session()
        self.sessions.append(session)
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
            sock.settimeout(60)
            if self.implicit:
                sock = self.handshake(sock, session)
            stack.callback(sock.close)
            self.talk(sock, session)

    def handshake(self, sock, session):
        sock = self.context.wrap_socket(sock, server_side=True)
        session.tls, session.sni = sock.version(), getattr(sock, "told_sni", None)
        return sock

    def talk(self, sock, session):
        file = sock.makefile("rb")
        if not self.greeting:
            file.readline()
            return
        sock.sendall(self.greeting.encode() + b"\r\n")
        if not self.greeting.startswith("2"):
            file.readline()
            return
        while line := file.readline():
            line = line.decode("utf-8", "replace").rstrip("\r\n")
            session.commands.append(line)
            reply = self.reply(session, line)
            if reply == "":
                return
            sock.sendall(reply.encode() + b"\r\n")
            word = line.upper().split()[0] if line.split() else ""
            if word == "QUIT":
                return
            if word == "DATA" and reply.startswith("354"):
                session.mails.append(self.message(file))
                reply = (self.answer and self.answer(session, ".")) or "250 2.0.0 taken"
                sock.sendall(reply.encode() + b"\r\n")
            if word == "STARTTLS" and reply.startswith("220"):
                if self.starttls == "hangup":
                    return
                if self.starttls == "broken":
                    sock.sendall(b"500 there is no TLS here\r\n")
                    file.readline()
                    return
                if self.starttls == "stuck":
                    while file.read(1):
                        pass
                    return
                sock = self.handshake(sock, session)
                file = sock.makefile("rb")

    def message(self, file):
        lines = []
        while (line := file.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def reply(self, session, line):
        said = self.answer and self.answer(session, line)
        if said is not None:
            return said
        word = line.upper().split()[0] if line.split() else ""
        if word == "EHLO":
            offers = list(self.offers)
            if self.starttls != "no" and not session.tls:
                offers.append("STARTTLS")
            return "\r\n".join(f"250-{offer}" for offer in ["mx", *offers]) + "\r\n250 HELP"
        if word == "STARTTLS":
            return "454 4.7.0 not now" if self.starttls == "refused" else "220 go"
        return {"DATA": "354 go", "QUIT": "221 bye"}.get(word, "250 2.0.0 ok")


class Hosts:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.all, self.given, self.kept = [], 0, []
        self.authority = Certificate(folder, "authority", [], authority=True)
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as probe:
            self.port = probe.getsockname()[1]

    def address(self):
        """One more that is nobody's yet."""
        self.given += 1
        pid = os.getpid()
        return f"127.{127 + self.given}.{pid >> 8 & 255}.{pid & 255}"

    def hole(self):
        """An address where connections are begun and never come to anything: a queue that is full."""
        where = (self.address(), self.port)
        listener = socket.socket()
        listener.bind(where)
        listener.listen(0)
        self.kept.append(listener)
        for _ in range(3):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex(where)
            self.kept.append(caller)
        return where[0]

    def certificate(self, *names, **more):
        return Certificate(self.folder, names[0] + str(len(list(self.folder.iterdir()))), names,
                           by=self.authority, **more)

    def host(self, *names, ip=None, cert=None, port=None, **more):
        """names: those of its certificate; without any it has none, and no TLS."""
        if names and not cert:
            cert = self.certificate(*names)
        host = Host(ip or self.address(), port or self.port, cert, **more)
        self.all.append(host)
        return host

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for host in [*self.all, *self.kept]:
            host.close()


def wait_for(what, seconds=5):
    """Until what() is true; else false."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
