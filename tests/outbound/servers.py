# SPDX-License-Identifier: ISC
"""Real servers of Debian, each in a folder of its own, started and ended by the test."""
import mailbox
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "clients"))
from harness import ROOT, Failed, Skip, die_with_parent, wait_until  # noqa: E402

EXIM = ROOT / "build-exim/usr/sbin/exim4"  # unpacked by tools/need
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def find(program):
    found = shutil.which(str(program), path=PATH)
    if not found:
        raise Skip(f"{program} is not installed")
    return found


def listens(ip, port):
    with socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET) as s:
        s.settimeout(1)
        return s.connect_ex((ip, port)) == 0


class Program:
    """One process in the foreground; its words are in log."""

    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o755)
        self.process = None
        self.log = self.home / "log"

    def start(self, *words, ready, env=None):
        with open(self.home / "out", "ab") as out:
            self.process = subprocess.Popen(
                [str(w) for w in words], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                cwd=self.home, preexec_fn=die_with_parent, env=dict(os.environ, **(env or {})))

        def up():
            if self.process.poll() is not None:
                raise Failed(f"{words[0]} has ended: {self.words()[-1500:]}")
            return ready()
        wait_until(up, 20, f"{words[0]}")
        return self

    def words(self):
        return "".join(p.read_text(errors="replace") for p in (self.home / "out", self.log)
                       if p.exists())

    def end(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Unbound(Program):
    """The resolver of this machine: it validates and says so (AD), for Postfix and Exim."""

    def run(self, ip, root, anchor):
        conf = self.home / "unbound.conf"
        conf.write_text(f"""server:
  interface: {ip}
  port: 53
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{self.home}"
  pidfile: ""
  use-syslog: no
  logfile: "{self.log}"
  val-log-level: 2
  trust-anchor-file: "{anchor}"
  access-control: 0.0.0.0/0 allow
  local-zone: "test." nodefault
  do-ip6: no
  aggressive-nsec: no
  cache-max-negative-ttl: 1
stub-zone:
  name: "."
  stub-addr: {root}
remote-control:
  control-enable: no
""")
        return self.start(find("unbound"), "-d", "-c", conf, ready=lambda: listens(ip, 53))


class Nginx(Program):
    """HTTPS on port 443 of an address; sites: {(names, certificate): text of its locations}."""

    def run(self, ip, sites):
        self.ip = ip
        self.write(sites)
        return self.start(find("nginx"), "-p", self.home, "-c", self.home / "nginx.conf",
                          "-e", self.log, ready=lambda: listens(ip, 443))

    def write(self, sites):
        servers = "".join(f"""
    server {{
        listen {self.ip}:443 ssl;
        server_name {names};
        ssl_certificate {cert.cert};
        ssl_certificate_key {cert.key};
        default_type text/plain;
        {text}
    }}""" for names, cert, text in sites)
        (self.home / "nginx.conf").write_text(f"""
daemon off;
master_process off;
pid {self.home}/pid;
events {{ worker_connections 256; }}
http {{
    access_log {self.home}/access.log;
    client_body_temp_path {self.home}/body;
    proxy_temp_path {self.home}/proxy;
    fastcgi_temp_path {self.home}/fastcgi;
    uwsgi_temp_path {self.home}/uwsgi;
    scgi_temp_path {self.home}/scgi;{servers}
}}
""")

    def asked(self):
        path = self.home / "access.log"
        return path.read_text() if path.exists() else ""


class Mta(Program):
    """What Postfix and Exim have in common: mail for their own domains goes into one Maildir."""

    def mails(self, address):
        """All that came for the address, as octets, the oldest first."""
        if not (self.home / "mail/new").is_dir():
            return []
        wanted = re.compile(rb"(?im)^(Envelope-to|X-Original-To): " + re.escape(address.encode()) + rb"\r?$")
        box = mailbox.Maildir(self.home / "mail", create=False)
        return [octets for octets in map(box.get_bytes, sorted(box.keys())) if wanted.search(octets)]

    def wait(self, address, count=1, seconds=20):
        def there():
            got = self.mails(address)
            return got if len(got) >= count else None
        return wait_until(there, seconds, f"mail for {address}")


MASTER = """
{ip}:25   inet  n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix(Mta):
    """Debian's, with folders of its own. levels: how it sends what comes from a domain,
    {"from the domain": "smtp_tls_security_level"}; more: lines of main.cf."""

    def run(self, ip, name, domains, levels=None, more="", tls=None):
        find("postfix")
        user = pwd.getpwnam("postfix")
        for folder in "conf", "queue", "data", "mail":
            (self.home / folder).mkdir()
        for folder in "data", "mail":
            os.chown(self.home / folder, user.pw_uid, user.pw_gid)
        levels = levels or {}
        senders = ", ".join("{@%s=out-%d}" % (d, n) for n, d in enumerate(levels))
        (self.home / "conf/main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {self.home}/queue
data_directory = {self.home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {self.log}
maillog_file_prefixes = /
myhostname = {name}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_bind_address = {ip}
mynetworks = 0.0.0.0/0
alias_maps =
alias_database =
biff = no
virtual_mailbox_domains = {" ".join(domains)}
virtual_mailbox_base = {self.home}
virtual_mailbox_maps = static:mail/
virtual_minimum_uid = 1
virtual_uid_maps = static:{user.pw_uid}
virtual_gid_maps = static:{user.pw_gid}
smtpd_client_connection_rate_limit = 0
smtpd_peername_lookup = no
smtpd_tls_received_header = yes
smtp_tls_loglevel = 1
smtp_tls_security_level = dane
smtp_dns_support_level = dnssec
smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
message_size_limit = 60000000
virtual_mailbox_limit = 0
{f'''smtpd_tls_security_level = may
smtpd_tls_cert_file = {tls.cert}
smtpd_tls_key_file = {tls.key}''' if tls else ""}
{"sender_dependent_default_transport_maps = inline:{" + senders + "}" if levels else ""}
{more}
""")
        (self.home / "conf/master.cf").write_text(MASTER.format(ip=ip) + "".join(
            f"out-{n} unix - - n - - smtp\n" + "".join(f"  -o {{ {option} }}\n" for option in
                                                     level.split(";"))
            for n, level in enumerate(levels.values())))
        (self.home / "conf/dynamicmaps.cf").touch()
        return self.start(find("postfix"), "-c", self.home / "conf", "start-fg",
                          ready=lambda: listens(ip, 25))

    def queued(self):
        return subprocess.run([find("postqueue"), "-c", self.home / "conf", "-p"],
                              capture_output=True, text=True).stdout

    def end(self):
        if self.process and self.process.poll() is None:
            subprocess.run([find("postfix"), "-c", self.home / "conf", "stop"],
                           capture_output=True)
        super().end()

    def sent(self, queue_id):
        """The lines of the log about one message."""
        return [line for line in self.words().splitlines() if f" {queue_id}: " in line]


EXIM_CONF = """
primary_hostname = {name}
domainlist ours = {domains}
spool_directory = {home}/spool
log_file_path = {home}/spool/%s.log
pid_file_path = {home}/pid
local_interfaces = {ip}
daemon_smtp_ports = 25
deliver_drop_privilege = true
accept_8bitmime = true
smtputf8_advertise_hosts = *
chunking_advertise_hosts = *
dsn_advertise_hosts = *
pipelining_advertise_hosts = *
dns_dnssec_ok = 1
message_size_limit = 60M
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 50
keep_environment =
add_environment =
acl_smtp_rcpt = take
{tls}
begin acl
take:
  accept
begin routers
box:
  driver = accept
  domains = +ours
  transport = box
{routers}
begin transports
box:
  driver = appendfile
  maildir_format
  directory = {home}/mail
  create_directory
  envelope_to_add
  return_path_add
  delivery_date_add
  user = {user}
{transports}
begin retry
* * F,1h,1s
"""
EXIM_ROUTER = """
route{n}:
  driver = dnslookup
  domains = ! +ours
  condition = ${{if eqi{{$sender_address_domain}}{{{domain}}}}}
  transport = out{n}
  dnssec_request_domains = *
  no_more
"""


class Exim(Mta):
    """Debian's exim4-daemon-light out of its package, which is not installed beside Postfix.
    levels: {"from the domain": options of the smtp transport, separated by ;}"""

    USER = "Debian-exim"  # the program looks it up: space.overlay makes it known

    def run(self, ip, name, domains, levels=None, tls=None):
        if not EXIM.exists():
            raise Skip("Exim is not there: tools/need test unpacks it")
        user = pwd.getpwnam(self.USER)
        for folder in "spool", "mail":
            (self.home / folder).mkdir()
            os.chown(self.home / folder, user.pw_uid, user.pw_gid)
        levels = levels or {}
        conf = self.home / "exim.conf"
        conf.write_text(EXIM_CONF.format(
            name=name, home=self.home, ip=ip, domains=" : ".join(domains), user=self.USER,
            tls=f"tls_advertise_hosts = *\ntls_certificate = {tls.cert}\ntls_privatekey = {tls.key}"
                if tls else "tls_advertise_hosts =",
            routers="".join(EXIM_ROUTER.format(n=n, domain=d) for n, d in enumerate(levels)),
            transports="".join(f"out{n}:\n  driver = smtp\n  interface = {ip}\n" + "".join(
                f"  {option.strip()}\n" for option in options.split(";") if option.strip())
                for n, options in enumerate(levels.values()))))
        os.chown(conf, 0, 0)
        if tls:  # read after it has become its user
            for path in tls.cert, tls.key:
                path.chmod(0o644)
        self.log = self.home / "spool/main.log"
        return self.start(EXIM, "-C", conf, "-bdf", "-q1s", ready=lambda: listens(ip, 25))
