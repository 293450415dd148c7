# SPDX-License-Identifier: ISC
"""The world around our server: an authority, a DNS with signed zones from its root on, a resolver,
and our server in it on port 25.

    PEER = place("name", ...)            on import: a domain with its host, address and records
    def some_scenario(ours): ...         ours.world has what is there for all

Zones: example.test is ours, signed, and holds what `tecsmail dns` prints; signed.example is
signed; open.example is not; expired.example has signatures that are over.
"""
import collections
import pathlib
import pwd
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "clients"), str(HERE.parent)]
import space  # noqa: E402
from ca import Authority  # noqa: E402
from harness import Server, check  # noqa: E402
from servers import PATH, Exim, Postfix, Unbound  # noqa: E402
from zones import Zones, missing  # noqa: E402

OURS, OUR_HOST, OUR_DOMAIN = space.OURS, "mail.example.test", "example.test"
OUR_NAMES = OUR_HOST, OUR_DOMAIN, f"mta-sts.{OUR_DOMAIN}", "localhost", "127.0.0.1", "::1"
RESOLVER, POLICIES = "127.0.0.53", space.PEERS + "250"
ROOT_KEY = "/usr/share/dns/root.key"
NS = "@ IN NS ns\nns IN A " + space.ROOT + "\n"
ZONES = {"open.example": {"sign": False}, "signed.example": {"sign": True},
         "expired.example": {"sign": True, "expired": True}}

Place = collections.namedtuple("Place", "domain host ip rows zone")
PLACES = []


def place(name, zone="open.example", rows=None):
    """A domain NAME.ZONE. rows: lines of its zone file in which {domain}, {host}, {ip}, {spki}
    (of the certificate `good`), {authority} (the same of ours) and {policies} (where nginx is) stand
    for what they say; without rows it has an MX and that an address."""
    domain, ip = f"{name}.{zone}", space.PEERS + str(len(PLACES) + 1)
    made = Place(domain, f"mx-{name}.{zone}", ip, rows or MX + HOST, zone)
    PLACES.append(made)
    return made


MX = "{domain}. IN MX 10 {host}.\n"
HOST = "{host}. IN A {ip}\n"
TLSA = "_25._tcp.{host}. IN TLSA 3 1 1 {spki}\n"
STS = ('_mta-sts.{domain}. IN TXT "v=STSv1; id=1"\n'
       "mta-sts.{domain}. IN A {policies}\n")


def lacking():
    """The programs without which there is no world, or ""."""
    return " ".join(missing() + [p for p in ("unbound", "openssl") if not shutil.which(p, path=PATH)])


class World:
    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.home.mkdir()
        self.home.chmod(0o755)
        self.ca = Authority(self.home / "ca")
        self.good = self.ca.issue(*(f"*.{zone}" for zone in ZONES))
        self.running = []
        self.dns = None
        self.by_name = {}

    def open(self, records):
        """records: the lines of our own domain."""
        names = self.home / "names"
        names.mkdir()
        self.dns = Zones(names)
        self.dns.ip, self.dns.port = space.ROOT, 53
        spki = self.good.spki()
        for zone, how in ZONES.items():
            rows = "".join(p.rows.format(domain=p.domain, host=p.host, ip=p.ip, spki=spki,
                                         authority=self.ca.root.spki(), policies=POLICIES, zone=zone)
                           for p in PLACES if p.zone == zone)
            self.dns.zone(zone, NS + rows, **how)
        self.dns.zone(OUR_DOMAIN, NS + records)
        self.dns.zone(".", NS + "".join(f"{zone}. IN NS ns.{zone}.\nns.{zone}. IN A {space.ROOT}\n"
                                        for zone in (*ZONES, OUR_DOMAIN)))
        self.dns.start()
        space.overlay(ROOT_KEY, self.dns.anchor.read_text())
        self.begin(Unbound(self.home / "unbound").run, RESOLVER, space.ROOT, self.dns.anchor)

    def begin(self, start, *words, **how):
        """Starts a server that ends with the world."""
        server = start(*words, **how)
        self.running.append(server)
        return server

    def close(self):
        for server in reversed(self.running):
            server.end()
        if self.dns:
            self.dns.__exit__()

    def once(self, name, start):
        """The server of this name, started by whoever needs it first."""
        if name not in self.by_name:
            self.by_name[name] = self.begin(start)
        return self.by_name[name]

    def postfix(self, name, *words, **how):
        return self.once(name, lambda: Postfix(self.home / name).run(*words, **how))

    def exim(self, name, *words, **how):
        return self.once(name, lambda: Exim(self.home / name).run(*words, **how))


class Ours(Server):
    """Our server, in the world."""

    def __init__(self):
        super().__init__()
        self.home.chmod(0o711)
        self.world = World(self.home / "world")
        trusted = self.world.ca.root.cert.read_text()
        space.own_folders("/etc/ssl/certs")
        pathlib.Path("/etc/ssl/certs/ca-certificates.crt").write_text(trusted)
        subprocess.run(["openssl", "rehash", "/etc/ssl/certs"], check=True, capture_output=True)
        space.overlay("/etc/resolv.conf", f"nameserver {RESOLVER}\noptions trust-ad edns0\n")
        users = pathlib.Path("/etc/passwd").read_text(), pathlib.Path("/etc/group").read_text()
        try:
            pwd.getpwnam(Exim.USER)
        except KeyError:
            space.overlay("/etc/passwd", users[0] + f"{Exim.USER}:x:9125:9125::/:/usr/sbin/nologin\n")
            space.overlay("/etc/group", users[1] + f"{Exim.USER}:x:9125:\n")
        (self.state / "tls").mkdir(parents=True)
        self.own = self.world.ca.issue(*OUR_NAMES)
        for source, name in (self.own.cert, "cert.pem"), (self.own.key, "key.pem"):
            (self.state / "tls" / name).write_bytes(source.read_bytes())
            (self.state / "tls" / name).chmod(0o600)

    def context(self):
        self.cert = str(self.world.ca.root.cert)
        return super().context()

    def __enter__(self):
        try:
            self.start()
            text = self.conf.read_text()
            for what, how in (r"\tsmtp = \{", f'\tsmtp = {{"{OURS}:25", '), \
                    (r"\turl = .*", f'\turl = "https://{OUR_HOST}"'), \
                    (r"\tforward = .*\n", ""):  # as usual: from the root on
                text, n = re.subn(f"(?m)^{what}", how, text)
                check(n == 1, f"{what} is not in the configuration that ./run makes")
            self.conf.write_text(text + self.settings())
            self.order("tls", "next")  # its record is published beside the present one's
            self.world.open(self.order("dns", OUR_DOMAIN) + f"mail IN A {OURS}\n")
            self.stop()
            self.start()
        except BaseException:
            self.keep = True
            self.close()
            raise
        return self

    def settings(self):
        return ("mta_sts {\n\tmode = enforce\n}\n"
                "outbound {\n\tretry_first = 1s\n\tretry_longest = 2s\n}\n")

    def close(self):
        try:
            self.world.close()
        finally:
            super().close()
