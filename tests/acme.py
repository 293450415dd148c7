#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""`tecsmail acme` with Debian's uacme, against Debian's pebble as the authority.

    tests/acme.py [WORD...]          those whose name has one of the words in it

pebble asks for its challenges at the webmail's nginx, over its own small name server. What the
command believes of names and of authorities (/etc/hosts, the list of roots) is laid over the
machine's own in a mount namespace, for it alone. The program is build/tecsmail, or what TECSMAIL
names.
"""
import fcntl
import http.server
import imaplib
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "clients"))
from harness import (PROGRAM, Failed, Server, Skip, check, die_with_parent, equal, free_base,  # noqa: E402
                     too_long, wait_until)

ROOTS = "/etc/ssl/certs/ca-certificates.crt"
UNSHARE = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
OVER = ('mount --bind "$1" ' + ROOTS + ' && mount --bind "$2" /etc/hosts && shift 2 && exec "$@"')
OURS = {"mail.example.test", "mta-sts.example.test", "autoconfig.example.test",
        "autodiscover.example.test"}


def openssl(*words, text=None):
    done = subprocess.run(["openssl", *map(str, words)], input=text, capture_output=True, text=True)
    check(done.returncode == 0, f"openssl {words[0]}: {done.stderr}")
    return done.stdout


def post(port, path, **fields):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", json.dumps(fields).encode())
    urllib.request.urlopen(request, timeout=10).read()


class Authority:
    """pebble and its name server, in a folder of the server's."""

    def __init__(self, server):
        self.server = server
        self.home = server.home / "authority"
        self.home.mkdir()
        base = free_base()
        self.port, self.manage, self.dns, self.names = (base + n for n in (443, 993, 995, 465))
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=pebble", "-addext", "subjectAltName=IP:127.0.0.1",
                "-keyout", self.home / "key.pem", "-out", self.home / "cert.pem")
        (self.home / "roots.pem").write_text(
            pathlib.Path(ROOTS).read_text() + (self.home / "cert.pem").read_text())
        (self.home / "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.manage}",
            "certificate": str(self.home / "cert.pem"), "privateKey": str(self.home / "key.pem"),
            "httpPort": server.port("http"), "tlsPort": server.port("https"),
            "ocspResponderURL": "", "externalAccountBindingRequired": False}}))
        self.children = [
            self.start("pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
                       "-dns01", f"127.0.0.1:{self.dns}", "-management", f"127.0.0.1:{self.names}",
                       "-http01", "", "-https01", "", "-tlsalpn01", ""),
            self.start("pebble", "-config", self.home / "pebble.json",
                       "-dnsserver", f"127.0.0.1:{self.dns}")]
        for port in self.port, self.manage, self.names:
            wait_until(lambda: self.answers(port), what=f"pebble on port {port}")
        self.root = self.get("roots/0")

    def start(self, *words):
        with open(self.home / f"{words[0]}.log", "ab") as log:
            return subprocess.Popen(list(map(str, words)), stdout=log, stderr=log,
                                    stdin=subprocess.DEVNULL, preexec_fn=die_with_parent,
                                    env=dict(os.environ, PEBBLE_VA_NOSLEEP="1"))

    def answers(self, port):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    def get(self, path):
        with urllib.request.urlopen(f"https://127.0.0.1:{self.manage}/{path}", timeout=10,
                                    context=ssl._create_unverified_context()) as answer:
            return answer.read().decode()

    def leads(self, name, address):
        post(self.names, "add-a", host=name, addresses=[address])

    def close(self):
        for child in self.children:
            child.terminate()
            child.wait(10)


class Rig:
    def __init__(self, server):
        self.server, self.state = server, server.state
        self.cert, self.key = self.state / "tls/cert.pem", self.state / "tls/key.pem"
        self.authority = Authority(server)
        self.hosts = {name: "127.0.0.1" for name in OURS}

    def acme(self, *words, status=0, command=("acme",), **settings):
        """The command: what it says as JSON (its words, for people, with json=False) and its
        sentences on standard error."""
        as_json = settings.pop("json", True)
        acme = {"directory": f"https://127.0.0.1:{self.authority.port}/dir",
                "email": "post@example.test", "challenges": "webmail/acme",
                "port": self.server.port("http"), "names": "{}", **settings}
        conf, hosts = self.state / "acme-test.conf", self.server.home / "hosts"
        rows = "".join(f"\t{key} = " + (value if key == "names" else f'"{value}"') + "\n"
                       for key, value in acme.items())
        conf.write_text(self.server.conf.read_text() + f"acme {{\n{rows}}}\n" +
                        'dns {\n\tforward = {"127.0.0.1:9"}\n}\n')  # nobody answers there
        hosts.write_text("127.0.0.1 localhost\n" +
                         "".join(f"{address} {name}\n" for name, address in self.hosts.items()))
        done = subprocess.run([*UNSHARE, "sh", "-c", OVER, "sh", self.authority.home / "roots.pem",
                               hosts, PROGRAM, "-c", conf, *command, *words,
                               *(["--json"] if as_json else [])],
                              capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        check(done.returncode == status, f"acme {words}: {done.returncode}: {done.stdout}{done.stderr}")
        return (json.loads(done.stdout) if as_json else done.stdout), done.stderr

    def files(self):
        return self.cert.read_text(), self.key.read_text()

    def shown(self, port="imaps"):
        """The certificate that a port shows, PEM."""
        with socket.create_connection(("127.0.0.1", self.server.port(port)), 10) as line, \
                ssl._create_unverified_context().wrap_socket(line) as tls:
            return ssl.DER_cert_to_PEM_cert(tls.getpeercert(True))

    def serves(self, port):
        """It shows what is in the file."""
        first = self.cert.read_text().split("-----END")[0].split("-----")[-1].split()
        return self.shown(port).split("-----END")[0].split("-----")[-1].split() == first

    def no_traces(self):
        left = [str(p) for p in (self.state / "tls").glob("*.new")] + \
            [str(p) for p in (self.state / "webmail/acme/.well-known/acme-challenge").glob("*")]
        equal(left, [], "what stays behind")


def public_key(pem):
    return openssl("x509", "-noout", "-pubkey", text=pem)


def names_of(pem):
    text = openssl("x509", "-noout", "-ext", "subjectAltName", text=pem)
    return {word.strip(" ,\n").removeprefix("DNS:") for word in text.split("\n", 1)[1].split()}


def a_dry_run_changes_nothing(rig):
    before = rig.files()
    plan, _ = rig.acme("--dry-run")
    equal(plan["result"], "would-obtain", "result")
    check("self-signed" in plan["reason"], plan)
    equal(set(plan["names"]), OURS, "names")
    equal([row["name"] for row in plan["left_out"]], ["localhost"], "left out")
    check(plan["certificate"]["self_signed"] and plan["certificate"]["days"] > 3600, plan)
    text, _ = rig.acme("--dry-run", json=False)
    check("One would be obtained (the one that is there is self-signed)" in text and
          "autoconfig.example.test" in text, text)
    equal(rig.files(), before, "the files")
    check(not list((rig.state / "acme").rglob("*.pem")), "an account was made")


def a_certificate_for_all_names(rig):
    """Where a name does not lead here, it is told, and the others have theirs. The ports show the
    new certificate while open sessions go on; key and rights stay."""
    server, key = rig.server, rig.key.read_text()
    rig.key.chmod(0o640)
    session = imaplib.IMAP4_SSL("localhost", server.port("imaps"), timeout=30,
                                ssl_context=ssl._create_unverified_context())
    session.login(*server.demo1)
    rig.hosts["elsewhere.example.test"] = "127.0.0.9"
    done, _ = rig.acme(names='{"elsewhere.example.test", "unknown.example.test"}')
    equal((done["result"], set(done["names"])), ("obtained", OURS), "result")
    left = {row["name"]: row["reason"] for row in done["left_out"]}
    check("nobody answers at 127.0.0.9" in left["elsewhere.example.test"], left)
    check("no address" in left["unknown.example.test"], left)
    chain, kept = rig.files()
    equal(names_of(chain), OURS, "names in it")
    equal((kept, stat.S_IMODE(rig.key.stat().st_mode)), (key, 0o640), "the key")
    equal(public_key(chain), openssl("pkey", "-pubout", text=key), "whose it is")
    for port in "imaps", "pop3s", "submissions", "https":
        wait_until(lambda: rig.serves(port), what=f"the new one on {port}")
    trusting = ssl.create_default_context(cadata=rig.authority.root)
    with socket.create_connection(("127.0.0.1", server.port("imaps")), 10) as line:
        trusting.wrap_socket(line, server_hostname="mail.example.test").close()
    equal(session.noop()[0], "OK", "the session from before")
    session.logout()
    rig.no_traces()


def while_it_lives_nothing_is_done(rig):
    before, at = rig.files(), rig.cert.stat().st_mtime_ns
    done, _ = rig.acme()
    equal((done["result"], done["certificate"]["usable"]), ("kept", True), "result")
    text, _ = rig.acme(json=False)
    check(text.startswith("Nothing to do: the certificate lives "), text)
    plan, _ = rig.acme("--dry-run")
    equal(plan["result"], "would-keep", "plan")
    equal((rig.files(), rig.cert.stat().st_mtime_ns), (before, at), "the files")


def when_it_ends_soon_it_is_renewed(rig):
    before, key = rig.files()
    done, said = rig.acme(renew="3650d")
    check(done["result"] == "obtained" and "lives only" in done["reason"], done)
    chain, kept = rig.files()
    check(chain != before, "it is the same")
    equal((kept, public_key(chain)), (key, public_key(before)), "the key stays, for TLSA")
    wait_until(lambda: rig.serves("imaps"), what="the new one")


def what_the_authority_refuses(rig):
    """It asks another name server than this machine: a name that only it finds elsewhere. As long
    as nothing else is new, no certificate is wasted on it."""
    before = rig.files()
    rig.authority.leads("refused.example.test", "127.0.0.9")
    wanted = '{"refused.example.test"}'
    done, _ = rig.acme(check="no", names=wanted)
    left = {row["name"]: row["reason"] for row in done["left_out"]}
    equal(done["result"], "kept", "result")
    check("connection refused" in left["refused.example.test"], left)
    equal(rig.files(), before, "the files")
    rig.server.order("domain", "add", "second.test")
    second = {f"{n}.second.test" for n in ("mta-sts", "autoconfig", "autodiscover")}
    rig.hosts.update({name: "127.0.0.1" for name in second})
    text, said = rig.acme(check="no", names=wanted, json=False)
    check("left out: refused.example.test: refused: " in said, said)
    chain = rig.cert.read_text()
    equal(names_of(chain), OURS | second, "names in it")
    check("autodiscover.second.test" in text, text)
    rig.no_traces()


def another_server_is_told_from_this_one(rig):
    """Who answers everything with the path that was asked for is not us."""
    class Echo(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.path.encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.7", rig.server.port("http")), Echo) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        rig.hosts["other.example.test"] = "127.0.0.7"
        plan, _ = rig.acme("--dry-run", names='{"other.example.test"}')
        other.shutdown()
    left = {row["name"]: row["reason"] for row in plan["left_out"]}
    check("another server answers at 127.0.0.7" in left["other.example.test"], left)


def trouble_leaves_the_old_one(rig):
    before = rig.files()
    dead = f"https://127.0.0.1:{rig.authority.port + 1}/dir"
    junk = f"https://127.0.0.1:{rig.authority.port}/nothing-here"
    for directory, what in (dead, "127.0.0.1"), (junk, "nothing-here"), ("", "names no authority"):
        out, said = rig.acme("--new-key", "--yes", status=1, directory=directory, check="no")
        check(out["ok"] is False and what in out["error"], out)
        check("the certificate stays as it is" in said, said)
    hosts, rig.hosts = rig.hosts, {}
    out, said = rig.acme("--new-key", "--yes", status=1)
    check("no name is left that leads to this machine" in out["error"], out)
    rig.hosts = hosts
    equal(rig.files(), before, "the files")
    check(rig.serves("imaps"), "the port shows another")
    rig.no_traces()


def a_bad_hour_of_the_dns_costs_no_name(rig):
    """What has its place in the certificate keeps it, though another name waits for one."""
    before = rig.files()
    rig.server.order("domain", "add", "third.test")
    rig.hosts.update({f"{n}.third.test": "127.0.0.1" for n in ("mta-sts", "autoconfig", "autodiscover")})
    rig.hosts["autoconfig.example.test"] = "127.0.0.9"
    plan, _ = rig.acme("--dry-run")
    check(plan["result"] == "would-fail" and "autoconfig.example.test" in plan["reason"], plan)
    out, said = rig.acme(status=1)
    check("would not be for autoconfig.example.test any more (nobody answers" in out["error"], out)
    equal(rig.files(), before, "the files")
    rig.hosts["autoconfig.example.test"] = "127.0.0.1"
    done, _ = rig.acme()
    check(done["result"] == "obtained" and "autoconfig.third.test" in done["names"], done)


def only_one_at_a_time(rig):
    path = rig.state / "acme/127.0.0.1/lock"
    with open(path) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        out, _ = rig.acme(status=1)
    check("another tecsmail acme is at work" in out["error"], out)


def another_key_when_asked(rig):
    chain, key = rig.files()
    out, _ = rig.acme("--new-key", status=1)  # nobody can tell what the DNS promises
    check("could not be found out" in out["error"] and "--yes" in out["error"], out)
    equal(rig.files(), (chain, key), "the files")
    done, _ = rig.acme("--new-key", "--yes")
    equal(done["result"], "obtained", "result")
    fresh, other = rig.files()
    check(other != key and public_key(fresh) != public_key(chain), "the key is the same")
    equal(stat.S_IMODE(rig.key.stat().st_mode), 0o640, "its mode")
    for port in "imaps", "https":
        wait_until(lambda: rig.serves(port), what=f"the new one on {port}")
    rig.no_traces()


def the_next_key_takes_its_turn(rig):
    """tecsmail tls: made before it is used, certified by the authority, the old one still told."""
    chain, key = rig.files()
    next_key = rig.key.with_name("key.pem.next")
    made, _ = rig.acme(command=("tls", "next"))
    check(made["request"] is None, "ACME asks for the certificate")
    equal(stat.S_IMODE(next_key.stat().st_mode), 0o600, "its mode")
    announced = next_key.read_text()
    equal(rig.files(), (chain, key), "the files")
    out, _ = rig.acme(command=("tls", "roll"), status=1)
    check("could not be found out" in out["error"], out)
    equal(rig.files(), (chain, key), "the files")
    done, _ = rig.acme("--yes", command=("tls", "roll"))
    fresh, other = rig.files()
    equal((other, done["hash"]), (announced, made["hash"]), "the key")
    equal(names_of(fresh), names_of(chain), "names in it")
    equal(public_key(fresh), openssl("pkey", "-pubout", text=other), "whose it is")
    for port in "imaps", "https":
        wait_until(lambda: rig.serves(port), what=f"the new one on {port}")
    promised = rig.server.order("dns", "example.test")
    check(promised.count("TLSA 3 1 1 ") == 2 and made["hash"] in promised, promised)
    check(not next_key.exists(), "it is still the next one")
    rig.acme(command=("tls", "retire"), status=1)
    rig.acme("--yes", command=("tls", "retire"))
    equal(rig.server.order("dns", "example.test").count("TLSA 3 1 1 "), 1, "TLSA records")
    rig.no_traces()


def a_crash_between_the_files(rig):
    """The key is in its place, its certificate not yet."""
    chain, key = rig.files()
    other = openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=x", "-keyout", "/dev/null")
    rig.cert.with_name("cert.pem.new").write_text(chain)
    rig.cert.write_text(other)
    done, _ = rig.acme()
    equal((done["result"], rig.files()), ("kept", (chain, key)), "mended")
    rig.no_traces()


def root_talks_to_nobody(rig):
    """Run by root for a state that another owns: what talks to the network is his."""
    if os.geteuid():
        raise Skip("only root can give the state to another")
    nobody, owners, home = pwd.getpwnam("nobody"), set(), rig.server.home
    folder = home / "challenges"

    class Shows(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            path = folder / self.path.lstrip("/")
            if path.exists():
                owners.add(path.stat().st_uid)
            super().do_GET()

        def log_message(self, *_):
            pass

    home.chmod(0o711)
    shutil.rmtree(rig.state / "acme", ignore_errors=True)
    os.chown(rig.state, nobody.pw_uid, nobody.pw_gid)
    rig.authority.leads("theirs.example.test", "127.0.0.8")
    rig.hosts = {"theirs.example.test": "127.0.0.8"}
    before = openssl("req", "-x509", "-key", rig.key, "-subj", "/CN=theirs.example.test")
    rig.cert.write_text(before)
    with http.server.ThreadingHTTPServer(
            ("127.0.0.8", rig.server.port("http")),
            lambda *args: Shows(*args, directory=folder)) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        done, _ = rig.acme(names='{"theirs.example.test"}', challenges=folder)
        web.shutdown()
    os.chown(rig.state, 0, 0)
    equal(set(done["names"]), {"theirs.example.test"}, "names")
    equal(owners, {nobody.pw_uid}, "whose the challenges were")
    check(rig.cert.read_text() != before and rig.key.stat().st_uid == 0, "the files")
    equal({p.stat().st_uid for p in (rig.state / "acme").rglob("*")}, {nobody.pw_uid}, "the account")


SCENARIOS = [a_dry_run_changes_nothing, a_certificate_for_all_names, while_it_lives_nothing_is_done,
             when_it_ends_soon_it_is_renewed, what_the_authority_refuses,
             another_server_is_told_from_this_one, trouble_leaves_the_old_one,
             a_bad_hour_of_the_dns_costs_no_name, only_one_at_a_time,
             another_key_when_asked, the_next_key_takes_its_turn, a_crash_between_the_files, root_talks_to_nobody]


def missing():
    """Why it cannot run here, or None."""
    for program in "uacme", "pebble", "pebble-challtestsrv":
        if not shutil.which(program):
            return f"{program} is not installed"
    tried = subprocess.run([*UNSHARE, "mount", "--bind", "/dev/null", "/etc/hosts"], capture_output=True)
    return "no mounts of its own are possible here" if tried.returncode else None


def main():
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(170)
    wanted = [s for s in SCENARIOS
              if not sys.argv[1:] or any(word in s.__name__ for word in sys.argv[1:])]
    why = missing()
    if why:
        print(f"skip: {why}\n0 passed, 0 failed, {len(wanted)} skipped")
        return 0
    failed = skipped = 0
    with Server(webmail=True) as server:
        rig = Rig(server)
        try:
            for scenario in wanted:
                try:
                    scenario(rig)
                    print(f"ok {scenario.__name__}", flush=True)
                except Skip as why:
                    skipped += 1
                    print(f"skip {scenario.__name__}: {why}", flush=True)
                except (Failed, OSError, imaplib.IMAP4.error) as why:
                    failed += 1
                    print(f"FAILED {scenario.__name__}: {why}", flush=True)
        finally:
            rig.authority.close()
        complaints = server.complaints()
        if complaints:
            failed += 1
            print("FAILED log: " + "; ".join(complaints[:5]))
        server.keep = bool(failed)
    print(f"{len(wanted) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


sys.exit(main())
