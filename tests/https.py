# SPDX-License-Identifier: ISC
"""Web servers of our own on a loopback address, with certificates of an authority made here.

    with Https(folder, ip) as web:
        web.pages["mta-sts.example.test", "/.well-known/mta-sts.txt"] = Page("version: STSv1\n...")
        ... web.port, web.ca (a file), web.asked (a list), web.posted (what was sent) ...

Each host has a certificate of its own, as it is asked for by name (SNI): good, but for the hosts
in web.bad, which are shown that of another host, and web.own, which sign theirs themselves.
"""
import http.server
import pathlib
import ssl
import subprocess
import threading
import time


class Page:
    def __init__(self, body, status=200, type="text/plain", headers=(), slow=0):
        self.body = body if isinstance(body, bytes) else body.encode()
        self.status, self.type, self.headers, self.slow = status, type, headers, slow


class Https:
    def __init__(self, home, ip, port=0):
        self.home = pathlib.Path(home)
        self.ip, self.pages, self.asked, self.posted, self.bad, self.own = ip, {}, [], [], set(), set()
        self.contexts, self.ca, self.lock = {}, self.home / "ca.pem", threading.Lock()
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                     "-subj", "/CN=authority of a test", "-keyout", "ca.key", "-out", "ca.pem")
        self.server = None
        self.start(port)

    def openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.home, check=True, capture_output=True)

    def start(self, port=0):
        context = self.context("localhost")
        context.sni_callback = lambda sock, name, _: setattr(sock, "context", self.context(name or "localhost"))
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                web.answer(self, None)

            def do_POST(self):
                web.answer(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def get_request(self):
                sock, peer = super().get_request()
                sock.settimeout(20)
                return context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False), peer

            def handle_error(self, *_):
                pass

        self.server = Server((self.ip, port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, handler, posted):
        host = handler.headers["Host"].rsplit(":", 1)[0]
        page = self.pages.get((host, handler.path), Page("no such page\n", 404))
        with self.lock:
            self.asked.append(host)
            if posted is not None:
                self.posted.append((host, handler.path, handler.headers["Content-Type"], posted))
        time.sleep(page.slow)
        try:
            handler.send_response(page.status)
            for name, value in (("Content-Type", page.type), ("Content-Length", str(len(page.body))), *page.headers):
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(page.body)
        except OSError:
            pass

    def context(self, host):
        with self.lock:
            if host not in self.contexts:
                self.contexts[host] = self.make(host)
            return self.contexts[host]

    def make(self, host):
        name = "another.test" if host in self.bad else host
        stem = str(self.home / host)
        pathlib.Path(stem + ".ext").write_text(f"subjectAltName=DNS:{name}\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                     "-keyout", stem + ".key", "-out", stem + ".csr")
        signer = ["-signkey", stem + ".key"] if host in self.own else ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
        self.openssl("x509", "-req", "-in", stem + ".csr", *signer, "-days", "2", "-extfile", stem + ".ext",
                     "-out", stem + ".pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(stem + ".pem", stem + ".key")
        return context

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()
