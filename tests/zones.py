# SPDX-License-Identifier: ISC
"""A DNS of our own on a loopback address: signed zones, and Debian's nsd that serves them.

    with Zones(folder) as dns:
        dns.zone(".", "@ IN NS ns\n", sign=True)
        dns.start()
        ... dns.ip, dns.port, dns.anchor (a file with the root's key) ...

Zones are given children first: the DS record of a signed child goes into each parent that is made
after it. All of them hang together below the root that is made here; a resolver needs a stub for
each zone (nsd serves them on a port that is not 53), and the anchor.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import time

SOA = "@ IN SOA ns.{zone} hostmaster.{zone} 1 3600 600 86400 60\n"
CONF = """server:
  ip-address: {ip}@{port}
  username: ""
  chroot: ""
  server-count: 1
  zonesdir: "{home}"
  database: ""
  pidfile: "{home}/nsd.pid"
  logfile: "{home}/nsd.log"
  xfrdfile: "{home}/xfrd.state"
  zonelistfile: "{home}/zone.list"
  xfrdir: "{home}"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"""


def own_address():
    """A loopback address that belongs to this process alone, as its number does."""
    pid = os.getpid()
    return f"127.{64 + (pid >> 16 & 63)}.{pid >> 8 & 255}.{pid & 255 or 256 - 1}"


def missing():
    """The programs that are not there."""
    return [p for p in ("nsd", "ldns-keygen", "ldns-signzone") if not find(p)]


def find(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")


class Zones:
    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.ip, self.port, self.names, self.ds, self.nsd = own_address(), 5300, [], {}, None
        self.anchor = self.home / "anchor"

    def run(self, *words):
        done = subprocess.run([find(words[0]), *words[1:]], cwd=self.home, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr}{done.stdout}")
        return done.stdout.strip()

    def key(self, zone):
        return self.run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", zone)

    def zone(self, name, text, sign=True, nsec3=False, expired=False, tell_parent=True, after=None):
        """Makes a zone; after(text) changes what was signed. Returns nothing; see self.ds."""
        full = name if name == "." else name + "."
        file = self.home / ("root" if name == "." else name)
        children = "".join(record for child, record in self.ds.items()
                           if child != name and (name == "." or child.endswith("." + name)))
        origin = f"$ORIGIN {full}\n$TTL 300\n"
        file.write_text(origin + SOA.format(zone="" if name == "." else full) + text + children)
        self.names.append((name, file))
        if not sign:
            return
        key = self.key(full)
        dates = ["-i", "20200101", "-e", "20210101"] if expired else []
        hashed = ["-n", "-s", "abcd"] if nsec3 else []
        self.run("ldns-signzone", *dates, *hashed, "-o", full, "-f", str(file) + ".signed", str(file), key)
        signed = pathlib.Path(str(file) + ".signed").read_text()
        file.write_text(after(signed) if after else signed)
        if tell_parent:
            self.ds[name] = (self.home / (key + ".ds")).read_text()
        if name == ".":
            shutil.copy(self.home / (key + ".key"), self.anchor)

    def start(self):
        zones = "".join(f'zone:\n  name: "{name}"\n  zonefile: "{file}"\n' for name, file in self.names)
        conf = self.home / "nsd.conf"
        conf.write_text(CONF.format(ip=self.ip, port=self.port, home=self.home) + zones)
        self.nsd = subprocess.Popen([find("nsd"), "-d", "-c", str(conf)], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        end = time.monotonic() + 10
        while not self.answers():
            if self.nsd.poll() is not None or time.monotonic() > end:
                raise RuntimeError("nsd does not answer: " + self.log())
            time.sleep(0.05)

    def answers(self):
        """Whether the server answers a question for the root's SOA record."""
        ask = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ask.settimeout(0.2)
        with ask:
            try:
                ask.sendto(b"\0\1\0\0\0\1\0\0\0\0\0\0\0\0\6\0\1", (self.ip, self.port))
                return bool(ask.recv(4096))
            except OSError:
                return False

    def log(self):
        file = self.home / "nsd.log"
        return file.read_text() if file.exists() else ""

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.nsd and self.nsd.poll() is None:
            self.nsd.terminate()
            try:
                self.nsd.wait(5)
            except subprocess.TimeoutExpired:
                self.nsd.kill()
                self.nsd.wait()
