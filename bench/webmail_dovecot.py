# SPDX-License-Identifier: ISC
"""A private Dovecot and a Roundcube on it, in the folder of one of our servers. Nothing of Debian's
own instances is used or changed."""
import os
import pwd
import shutil
import socket
import subprocess
import time

from harness import ROOT, USUAL, Failed, die_with_parent, free_base

CONF = """\
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
listen = 127.0.0.1
protocols = imap
ssl = required
ssl_cert = <{cert}
ssl_key = <{key}
mail_location = maildir:{home}/mail
first_valid_uid = 1
first_valid_gid = 1
auth_mechanisms = plain
passdb {{
	driver = passwd-file
	args = scheme=CRYPT {home}/users
}}
userdb {{
	driver = static
	args = uid={uid} gid={gid} home={home}
}}
namespace inbox {{
	inbox = yes
{folders}
}}
service imap-login {{
	inet_listener imap {{
		port = 0
	}}
	inet_listener imaps {{
		port = {port}
		ssl = yes
	}}
}}
"""
FOLDERS = "Drafts", "Sent", "Junk", "Trash", "Archive"
OUR_PLUGIN = "'tecsmail', "


class Dovecot:
    """user: whose account it has, with that hash of the password."""

    def __init__(self, server, user, hashed):
        self.home = server.home / "dovecot"
        self.web = self.home / "webmail"
        base = free_base()
        self.ports = {name: base + USUAL[name] for name in ("imaps", "https", "http")}
        self.url = f"https://localhost:{self.ports['https']}/webmail/"
        self.tls = server.state / "tls"
        self.user, self.hashed = user, hashed
        self.owner = pwd.getpwnam("www-data") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.running = []

    def __enter__(self):
        try:
            self.configure()
            self.start("dovecot", "-F", "-c", str(self.home / "dovecot.conf"))
            self.wait(("127.0.0.1", self.ports["imaps"]))
            self.start_webmail()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for process in reversed(self.running):
            process.terminate()
        for process in self.running:
            process.wait(20)

    def start(self, *words):
        with open(self.home / "started.log", "ab") as log:
            self.running.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log,
                                                 stderr=log, preexec_fn=die_with_parent))

    def wait(self, address):
        end = time.monotonic() + 20
        while True:
            try:
                kind = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
                with socket.socket(kind) as s:
                    return s.connect(address)
            except OSError:
                if time.monotonic() > end:
                    raise Failed(f"nobody listens at {address}: {self.home}/started.log")
                time.sleep(0.05)

    def configure(self):
        self.home.mkdir(mode=0o755)
        folders = "\n".join(f"\tmailbox {name} {{\n\t\tauto = subscribe\n\t\tspecial_use = \\{name}\n\t}}"
                            for name in FOLDERS)
        (self.home / "dovecot.conf").write_text(CONF.format(
            home=self.home, port=self.ports["imaps"], cert=self.tls / "cert.pem", key=self.tls / "key.pem",
            uid=self.owner.pw_uid, gid=self.owner.pw_gid, folders=folders))
        (self.home / "users").write_text(f"{self.user.address}:{self.hashed}\n")
        (self.home / "users").chmod(0o644)

    def start_webmail(self):
        """What ./run makes of it, but for where the mail is and for our plugin."""
        subprocess.run([
            str(ROOT / "webmail/prepare"), "--dir", str(self.web), "--sockets", str(self.home),
            "--hostname", "mail.example.test", "--certificate", str(self.tls / "cert.pem"),
            "--key", str(self.tls / "key.pem"), "--https", f"127.0.0.1:{self.ports['https']}",
            "--http", f"127.0.0.1:{self.ports['http']}", "--domain", "example.test",
            "--name", "example.test Webmail"], check=True, stdout=subprocess.DEVNULL)
        path = self.web / "roundcube/config/config.inc.php"
        text = path.read_text()
        if OUR_PLUGIN not in text:
            raise Failed("the plugin is not where it was in config.inc.php")
        shutil.copy(self.tls / "cert.pem", self.web / "etc/ca.pem")
        (self.web / "etc/ca.pem").chmod(0o644)
        path.write_text(text.replace(OUR_PLUGIN, "") + f"""
$config['imap_host'] = 'ssl://localhost:{self.ports['imaps']}';
$config['imap_conn_options'] = ['ssl' => ['cafile' => '{self.web}/etc/ca.pem']];
""")
        self.start(str(ROOT / "webmail/php"), str(self.web))
        self.wait(str(self.web / "run/php.sock"))
        self.start("/usr/sbin/nginx", "-e", str(self.web / "logs/nginx.log"), "-c", str(self.web / "etc/nginx.conf"))
        self.wait(("127.0.0.1", self.ports["https"]))

    def fill(self, mails):
        """Writes the files of a Maildir; Dovecot numbers them by the times in their names."""
        inbox = self.home / "mail"
        for folder in "cur", "new", "tmp":
            (inbox / folder).mkdir(parents=True)
        for mail in mails:
            name = f"{mail.when}.M0P1.bench,S={len(mail.octets)}:2,{'S' if mail.seen else ''}"
            path = inbox / "cur" / name
            path.write_bytes(mail.octets)
            os.utime(path, (mail.when, mail.when))
            if os.geteuid() == 0:
                os.chown(path, self.owner.pw_uid, self.owner.pw_gid)
        if os.geteuid() == 0:
            for folder in inbox, *inbox.iterdir():
                os.chown(folder, self.owner.pw_uid, self.owner.pw_gid)
