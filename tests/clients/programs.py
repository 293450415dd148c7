# SPDX-License-Identifier: ISC
"""Mail programs that people use: curl, swaks, mbsync, neomutt, getmail."""
import email
import email.policy
import mailbox
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time

from harness import (Failed, Skip, check, die_with_parent, equal, message, program, scenario,
                     subject_of)


def folder(server, name):
    return pathlib.Path(tempfile.mkdtemp(prefix=name + ".", dir=server.home))


# --- curl ---

def curl(server, user, *words, status=0, stdin=b"", trust=True):
    """The password goes by a file, as in a user's netrc."""
    netrc = server.home / "netrc"
    netrc.touch(0o600)
    netrc.write_text(f"machine localhost login {user.address} password {user.password}\n")
    ca = ["--cacert", server.cert] if trust else []
    return program("curl", "-sS", "--max-time", "30", "--netrc-file", str(netrc), *ca, *words,
                   stdin=stdin, status=status)


@scenario()
def curl_imaps(server):
    user = server.user("curl")
    url = f"imaps://localhost:{server.port('imaps')}"
    listing = curl(server, user, url + "/").decode()
    for name in ("INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive"):
        check(re.search(rf'^\* LIST .*"/" "?{name}"?\r$', listing, re.M), f"no {name}: {listing}")
    mail = message("by curl", "Grüße\r\n.\r\nend\r\n")
    path = server.home / "mail.eml"
    path.write_bytes(mail)
    curl(server, user, "-T", str(path), url + "/INBOX")
    equal(curl(server, user, url + "/INBOX;UID=1"), mail, "fetched by UID")
    equal(curl(server, user, url + "/INBOX;MAILINDEX=1"), mail, "fetched by number")
    equal(curl(server, user, url + "/INBOX;UID=1;SECTION=TEXT"), mail.split(b"\r\n\r\n", 1)[1],
          "the section TEXT")
    equal(curl(server, user, url + "/INBOX?SUBJECT%20curl"), b"* SEARCH 1\r\n", "SEARCH")
    equal(curl(server, user, url + "/INBOX?SUBJECT%20wget").strip(), b"* SEARCH", "SEARCH")
    got = curl(server, user, url + "/INBOX", "-X", "STORE 1 +FLAGS (\\Flagged keep)")
    check(b"\\Flagged" in got and b"keep" in got, f"STORE: {got!r}")
    curl(server, user, url + "/", "-X", "CREATE work")
    curl(server, user, url + "/INBOX", "-X", "COPY 1 work")
    got = curl(server, user, url + "/", "-X", "STATUS work (MESSAGES UNSEEN)")
    check(b"MESSAGES 1" in got, f"STATUS: {got!r}")
    curl(server, user, url + "/INBOX", "-X", "STORE 1 +FLAGS (\\Deleted)")
    curl(server, user, url + "/INBOX", "-X", "EXPUNGE")
    equal(server.subjects(user), [], "after EXPUNGE")
    equal(server.subjects(user, "work"), ["by curl"], "the copy")


@scenario()
def curl_pop3s(server):
    user = server.user("curl")
    url = f"pop3s://localhost:{server.port('pop3s')}"
    mails = [message(f"pop {n}", f"line\r\n..\r\n.dot {n}\r\n") for n in (1, 2)]
    for mail in mails:
        server.deliver(user, mail)
    rows = curl(server, user, url + "/").decode().split()
    equal(rows[0::2], ["1", "2"], "LIST")
    got = curl(server, user, url + "/2")
    check(got.endswith(mails[1]), f"RETR: {got!r}")
    equal(int(rows[3]), len(got), "the size in LIST")
    uidl = curl(server, user, url + "/", "-X", "UIDL").decode().split()
    equal(len(set(uidl[1::2])), 2, "ids in UIDL")
    curl(server, user, url + "/1", "-X", "DELE", "-I")
    equal(server.subjects(user), ["pop 2"], "after DELE")


@scenario()
def curl_smtps(server):
    user, friend = server.user("curl"), server.user("friend")
    path = server.home / "mail.eml"

    def send(subject, url, *words, status=0):
        path.write_bytes(message(subject, sender=user.address))
        return curl(server, user, url, *words, "--mail-from", user.address, "--mail-rcpt",
                    friend.address, "-T", str(path), status=status)

    send("tls", f"smtps://localhost:{server.port('submissions')}/client.example")
    send("starttls", f"smtp://localhost:{server.port('submission')}/client.example", "--ssl-reqd")
    equal(server.subjects(friend), ["starttls", "tls"], "arrived")


@scenario()
def curl_starttls(server):
    user = server.user("curl")
    server.deliver(user, message("hello"))
    imap = f"imap://localhost:{server.port('imap')}/"
    pop3 = f"pop3://localhost:{server.port('pop3')}/"
    check(b"INBOX" in curl(server, user, imap, "--ssl-reqd"), "IMAP with STARTTLS")
    check(curl(server, user, pop3, "--ssl-reqd").startswith(b"1 "), "POP3 with STLS")
    for url in (imap, pop3):  # 67: login denied; curl gives up where no mechanism is offered
        got = curl(server, user, url, status=None)
        check(b"INBOX" not in got and not got.startswith(b"1 "), f"let in without TLS: {got!r}")


@scenario()
def curl_verifies(server):
    user = server.user("curl")
    for name in ("imaps", "pop3s"):
        url = f"{name}://localhost:{server.port(name)}/"
        curl(server, user, url)
        curl(server, user, url, trust=False, status=60)  # 60: the certificate is not known


# --- swaks ---

def swaks(server, name, to, *words, status=0, sender="somebody@elsewhere.example", **kv):
    return program("swaks", "--server", "localhost", "--port", str(server.port(name)),
                   "--ehlo", "client.example", "--from", sender, "--to", to, "--timeout", "20",
                   "--h-Subject", kv.get("subject", "swaks"), *words,
                   status=status).decode(errors="replace")


@scenario()
def swaks_delivers(server):
    user, friend = server.user("swaks"), server.user("friend")
    trust = ["--tls-verify", "--tls-ca-path", server.cert]
    login = ["--auth-user", user.address, "--auth-password", user.password]
    swaks(server, "smtp", friend.address, "-tls", *trust, subject="mx starttls")
    swaks(server, "smtp", friend.address, subject="mx clear")
    swaks(server, "submission", friend.address, "-tls", *trust, "--auth", "PLAIN", *login,
          sender=user.address, subject="587 plain")
    swaks(server, "submission", friend.address, "-tls", *trust, "--auth", "LOGIN", *login,
          sender=user.address, subject="587 login")
    swaks(server, "submissions", friend.address, "-tlsc", *trust, "--auth", "PLAIN", *login,
          sender=user.address, subject="465 plain")
    swaks(server, "submissions", friend.address, "-tlsc", *trust, "--auth", "LOGIN", *login,
          sender=user.address, subject="465 login")
    mails = {subject_of(m): m for m in server.fetch(friend).values()}
    equal(sorted(mails), ["465 login", "465 plain", "587 login", "587 plain", "mx clear",
                          "mx starttls"], "arrived")
    for subject, how in (("mx clear", "ESMTP"), ("mx starttls", "ESMTPS"),
                         ("587 plain", "ESMTPSA"), ("465 login", "ESMTPSA")):
        check(re.search(rb"(?s)^(Return-Path:[^\n]*\n)?Received: from .*?\bwith " + how.encode()
                        + rb"\b", mails[subject]), f"{subject}: no {how} in {mails[subject]!r}")
    check(b"TLSv1.3" in mails["mx starttls"] or b"TLS1.3" in mails["mx starttls"],
          "no TLS version in Received")


@scenario()
def swaks_refused(server):
    user, friend = server.user("swaks"), server.user("friend")
    login = ["--auth", "PLAIN", "--auth-user", user.address, "--auth-password", user.password]
    rcpt, auth, sender = 24, 28, 23  # exit statuses of swaks: which command was refused

    got = swaks(server, "smtp", "victim@far.example", "-tls", status=rcpt)
    check("550 5.7.1" in got, f"relaying: {got[-600:]}")
    got = swaks(server, "smtp", "nobody@example.test", "-tls", status=rcpt)
    check("550 5.1.1" in got, f"an unknown user: {got[-600:]}")
    got = swaks(server, "submission", "victim@far.invalid", "-tls", *login, sender=user.address,
                status=rcpt)
    check("550 5.1.2" in got, f"where nobody can be: {got[-600:]}")
    got = swaks(server, "submission", friend.address, "-tls", *login, sender=friend.address,
                status=sender)
    check("553 5.7.1" in got, f"a foreign sender: {got[-600:]}")
    got = swaks(server, "submission", friend.address, "-tls", sender=user.address, status=sender)
    check("530 5.7.0" in got, f"without login: {got[-600:]}")
    got = swaks(server, "submission", friend.address, *login, sender=user.address, status=auth)
    check(not re.search(r"^<.*AUTH", got, re.M), f"AUTH is offered in clear: {got}")
    wrong = ["--auth", "PLAIN", "--auth-user", user.address, "--auth-password", "wrong-Aa1-wrong"]
    got = swaks(server, "submissions", friend.address, "-tlsc", *wrong, sender=user.address,
                status=auth)
    check("535 5.7.8" in got, f"a wrong password: {got[-600:]}")
    equal(server.subjects(friend), [], "arrived")


# --- mbsync ---

def mbsync_rc(server, user, home):
    found = re.search(rb"(\d+)\.(\d+)", program("mbsync", "--version"))
    ssl = "TLSType" if tuple(map(int, found.groups())) >= (1, 5) else "SSLType"
    (home / "mail").mkdir()
    (home / "rc").write_text(f"""
IMAPAccount account
Host localhost
Port {server.port('imaps')}
User {user.address}
Pass "{user.password}"
{ssl} IMAPS
CertificateFile {server.cert}

IMAPStore remote
Account account

MaildirStore local
Path {home}/mail/
Inbox {home}/mail/INBOX
SubFolders Verbatim

Channel all
Far :remote:
Near :local:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
CopyArrivalDate yes
""")


def mbsync(home):
    return program("mbsync", "-V", "-c", str(home / "rc"), "all", timeout=60).decode()


def maildir_state(home):
    """Folder and name of each message with its octets; the names carry flags and UIDs."""
    return {str(p.relative_to(home)): p.read_bytes()
            for p in (home / "mail").rglob("*") if p.is_file() and p.parent.name in ("cur", "new")}


def server_state(server, user):
    """{folder: (UIDVALIDITY, {UID: flags})}"""
    client = server.imap(user)
    state = {}
    for row in client.list()[1]:
        name = re.search(rb'"/" "?([^"]*)"?$', row).group(1).decode()
        client.select(f'"{name}"', readonly=True)
        rows = client.uid("FETCH", "1:*", "(FLAGS)")[1]
        state[name] = (client.response("UIDVALIDITY")[1], {
            int(re.search(rb"UID (\d+)", r).group(1)):
            sorted(f for f in re.search(rb"FLAGS \(([^)]*)\)", r).group(1).split()
                   if f != b"\\Recent") for r in rows if r})
    client.logout()
    return state


@scenario(90)
def mbsync_both_ways(server):
    user = server.user("mbsync")
    home = folder(server, "mbsync")
    mbsync_rc(server, user, home)
    for n in range(20):
        server.deliver(user, message(f"from the server {n}", "text\r\n" * n))
    client = server.imap(user)
    client.create("Projects/2026")
    client.append("Projects/2026", "(\\Seen \\Flagged)", None, message("filed"))

    def settled(what):
        """A run right after a run moves nothing on either side."""
        before = maildir_state(home), server_state(server, user)
        out = mbsync(home)
        equal(maildir_state(home), before[0], f"{what}: the maildir after a second run")
        equal(server_state(server, user), before[1], f"{what}: the server after a second run")
        moved = [n for row in re.findall(r"[FN]: \+(\d+)/\d+ \*(\d+)/\d+ #(\d+)/\d+", out)[-2:]
                 for n in row]
        check(all(n == "0" for n in moved), f"{what}: the second run moved {moved}")

    mbsync(home)
    local = mailbox.Maildir(home / "mail" / "INBOX", create=False)
    equal(len(local), 20, "messages fetched")
    settled("fetched")

    # The other way: a new message, a new folder, flags, a deletion, all made here.
    made = mailbox.Maildir(home / "mail" / "Local")
    made.add(mailbox.MaildirMessage(message("made here").replace(b"\r\n", b"\n")))
    local.add(mailbox.MaildirMessage(message("a draft").replace(b"\r\n", b"\n")))
    for key in list(local.keys()):
        mail = local[key]
        if mail["subject"] == "from the server 3":
            mail.set_subdir("cur")
            mail.set_flags("FS")
            local[key] = mail
        elif mail["subject"] == "from the server 4":
            mail.set_subdir("cur")
            mail.set_flags("T")
            local[key] = mail
    mbsync(home)
    equal(server.subjects(user, "Local"), ["made here"], "the folder made here")
    there = server.subjects(user)
    check("a draft" in there and "from the server 4" not in there and len(there) == 20,
          f"after sending: {there}")
    client.select("INBOX", readonly=True)
    found = client.search(None, "FLAGGED", "SEEN")[1]
    equal(len(found[0].split()), 1, "flags sent")
    settled("sent")

    # And back again, while both sides change.
    client.select("INBOX")
    client.store("1", "+FLAGS", "(\\Answered \\Seen)")
    client.store("2", "+FLAGS", "(\\Deleted)")
    client.expunge()
    client.create('"Made there"')
    client.append('"Made there"', None, None, message("new there"))
    local.add(mailbox.MaildirMessage(message("another draft").replace(b"\r\n", b"\n")))
    mbsync(home)
    names = [p.name for p in (home / "mail" / "INBOX" / "cur").iterdir()]
    equal(sum("R" in n.split(":2,")[1] for n in names), 1, "answered, fetched")
    equal(len(mailbox.Maildir(home / "mail" / "INBOX", create=False)), 20, "messages here")
    check((home / "mail" / "Made there").is_dir(), "the folder made there is missing here")
    settled("both")
    client.logout()


# --- neomutt ---

def neomutt_rc(server, user, home):
    (home / "certificates").write_text(pathlib.Path(server.cert).read_text())
    (home / "rc").write_text(f"""
set certificate_file="{home}/certificates"
set ssl_force_tls=yes
set ssl_verify_host=yes
set imap_user="{user.address}"
set imap_pass="{user.password}"
set folder="imaps://localhost:{server.port('imaps')}/"
set smtp_url="smtps://{user.address}@localhost:{server.port('submissions')}/"
set smtp_pass="{user.password}"
set from="{user.address}"
set copy=no
set delete=yes
set quit=yes
set move=no
set confirmappend=no
set confirmcreate=no
set wait_key=no
set header_cache=
set sleep_time=0
set timeout=1
""")


def neomutt(home, *words, stdin=None, seconds=40):
    """In a terminal of its own: it reads folders in no other way. All it says goes nowhere."""
    if not shutil.which("neomutt"):
        raise Skip("neomutt is not installed")
    ours, its = pty.openpty()
    process = subprocess.Popen(
        ["neomutt", "-n", "-F", str(home / "rc"), *words], stdin=its if stdin is None else
        subprocess.PIPE, stdout=its, stderr=its, start_new_session=True, cwd=home,
        preexec_fn=die_with_parent, env=dict(os.environ, TERM="xterm", HOME=str(home), LC_ALL="C.UTF-8"))
    os.close(its)
    said = b""
    try:
        if stdin is not None:
            process.stdin.write(stdin)
            process.stdin.close()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    said += os.read(ours, 65536)
                except OSError:  # the terminal has no other side any more
                    break
            elif process.poll() is not None:
                break
        else:
            raise Failed(f"neomutt did not end: {said[-1500:]!r}")
        status = process.wait(10)
        check(status == 0, f"neomutt: exit status {status}: {said[-1500:]!r}")
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@scenario(90)
def neomutt_reads(server):
    user = server.user("mutt")
    home = folder(server, "neomutt")
    neomutt_rc(server, user, home)
    for n in range(5):
        server.deliver(user, message(f"mail {n}", f"text {n}\r\n"))
    url = f"imaps://localhost:{server.port('imaps')}/INBOX"
    # Delete one, flag one, copy one to a local folder and one to a folder of the server, save
    # one into a new one, pipe one into a file.
    neomutt(home, "-f", url, "-e", "push '"
            "<search>~s \"mail 1\"<enter><delete-message>"
            "<search>~s \"mail 2\"<enter><flag-message>"
            f"<search>~s \"mail 3\"<enter><copy-message><kill-line>{home}/copies<enter>"
            "<search>~s \"mail 3\"<enter><copy-message><kill-line>=Archive<enter>"
            "<search>~s \"mail 4\"<enter><save-message><kill-line>=Saved<enter>"
            f"<search>~s \"mail 0\"<enter><pipe-message><kill-line>cat > {home}/piped<enter>"
            "<sync-mailbox><quit>'")
    equal(server.subjects(user), ["mail 0", "mail 2", "mail 3"], "left in the inbox")
    equal(server.subjects(user, "Archive"), ["mail 3"], "copied on the server")
    equal(server.subjects(user, "Saved"), ["mail 4"], "saved into a new folder")
    equal([m["subject"] for m in mailbox.mbox(home / "copies", create=False)], ["mail 3"],
          "copied here")
    check(b"text 0" in (home / "piped").read_bytes(), "nothing was piped")
    client = server.imap(user)
    client.select("INBOX", readonly=True)
    equal(client.search(None, "FLAGGED")[1][0].split(), [b"2"], "flagged")
    client.logout()


@scenario(90)
def neomutt_sends(server):
    user, friend = server.user("mutt"), server.user("friend")
    home = folder(server, "neomutt")
    neomutt_rc(server, user, home)
    blob = bytes(range(256)) * 400
    (home / "blob.bin").write_bytes(blob)
    neomutt(home, "-s", "Grüße von neomutt", "-a", str(home / "blob.bin"), "--", friend.address,
            stdin="Schöne Grüße\n".encode())
    mails = list(server.fetch(friend).values())
    equal(len(mails), 1, "arrived")
    mail = email.message_from_bytes(mails[0], policy=email.policy.default)
    equal(mail["subject"], "Grüße von neomutt", "the subject")
    equal(next(mail.iter_attachments()).get_content(), blob, "the attachment")


# --- getmail ---

@scenario()
def getmail_empties_the_box(server):
    # It refuses to deliver as root: then it runs as nobody, who may not look into our folder.
    nobody = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
    for kind, port in (("SimplePOP3SSLRetriever", "pop3s"), ("SimpleIMAPSSLRetriever", "imaps")):
        user = server.user("getmail")
        home = pathlib.Path(tempfile.mkdtemp(prefix="tecsmail-test."))
        for sub in ("cur", "new", "tmp"):
            (home / "mail" / sub).mkdir(parents=True)
        shutil.copy(server.cert, home / "cert.pem")
        (home / "rc").write_text(f"""
[retriever]
type = {kind}
server = localhost
port = {server.port(port)}
username = {user.address}
password = {user.password}
ca_certs = {home}/cert.pem
[destination]
type = Maildir
path = {home}/mail/
[options]
delete = true
read_all = true
verbose = 1
delivered_to = false
received = false
""")
        for n in range(1, 8):
            server.deliver(user, message(f"mail {n}", f"body {n}\r\n.\r\n" * n))
        kept = [octets.replace(b"\r\n", b"\n") for octets in server.fetch(user).values()]
        try:
            for path in (home, *home.rglob("*")):
                if nobody:
                    shutil.chown(path, *nobody.values())
            for _ in range(2):
                program("getmail", f"--getmaildir={home}", f"--rcfile={home}/rc", cwd=home,
                        env={"HOME": str(home)}, **nobody)
            got = [re.sub(rb"X-getmail-retrieved-from-mailbox: [^\n]*\n", b"", p.read_bytes())
                   for p in (home / "mail" / "new").iterdir()]
        finally:
            shutil.rmtree(home)
        equal(sorted(got), sorted(kept), f"{port}: fetched")
        equal(server.subjects(user), [], f"{port}: left on the server")
