# SPDX-License-Identifier: ISC
"""An account as files, read back by Python's mailbox module; and an account that is erased."""
import json
import mailbox
import os
import pathlib
import pty
import re
import secrets
import select
import threading
import time

from harness import PROGRAM, check, equal, message, scenario, wait_until

FOLDERS = ["INBOX", "Grüße", "Grüße/an alle", "a.b", "Sent"]
BODIES = [
    "From here on\r\n>From there\r\n>>From far\r\nFrom\r\n From\r\nFro\r\nm\r\n\r\nFrom the end\r\n",
    "no line end at the end",
    "From the first line\r\n\r\n" * 3,
    "",
    "long " * 200000 + "\r\nFrom behind a piece\r\n",
]


def utf7(name):
    """RFC 3501 5.1.3, for the letters above."""
    return re.sub("[^ -~]+", lambda m: "&" + m.group().encode("utf-7").decode()[1:].rstrip("-")
                  + "-", name)


def fill(server, user):
    client = server.imap(user)
    for folder in FOLDERS[1:4]:
        client.create(f'"{utf7(folder)}"')
    client.subscribe(f'"{utf7(FOLDERS[2])}"')
    flags = ["", r"\Seen", r"\Answered \Flagged", r"\Deleted $Label1", r"\Draft \Seen Eigenes"]
    for n, folder in enumerate(FOLDERS):
        for k in range(3):
            at = (n + k) % 5
            client.append(f'"{utf7(folder)}"', f"({flags[at]})",
                          f'"{n + 1:02}-Feb-2021 11:22:3{k} +0100"',
                          message(f"{folder.encode('ascii', 'replace').decode()} {k}", BODIES[at]))
    client.logout()


def lines(octets):
    return octets.replace(b"\r\n", b"\n")


def rows_of(folder):
    return [json.loads(line) for line in (folder / "messages.jsonl").read_text().splitlines()]


@scenario(120)
def export_maildir(server):
    user = server.user("maildir")
    fill(server, user)
    server.order("alias", "add", "nick@example.test", user.address)
    server.order("user", "app-password", "add", user.address, "phone")
    with server.submission(user) as client:
        client.sendmail(user.address, [user.address], message("to myself", sender=user.address, extra="X-Id: 1\r\n"))
    wait_until(lambda: server.fetch(user), what="the mail to myself")
    to = server.home / "out-maildir"
    done = json.loads(server.order("user", "export", user.address, "--to", str(to), "--json"))
    equal((done["messages"], done["ok"]), (16, True), "what was exported")
    receipts = [json.loads(line) for line in (to / "receipts.jsonl").read_text().splitlines()]
    equal([[(r["address"], r["state"], r["way"]) for r in mail["recipients"]] for mail in receipts],
          [[(user.address, "delivered", "here")]], "receipts")
    account = json.loads((to / "account.json").read_text())
    equal((account["address"], account["aliases"]), (user.address, ["nick@example.test"]), "whose")
    equal((account["state"], account["expires"]), ("active", None), "state")
    equal([p["name"] for p in account["app_passwords"]], ["phone"], "app passwords")
    check("salt" not in (to / "account.json").read_text(), "a secret in account.json")
    check(FOLDERS[2] in account["subscriptions"], f"subscriptions: {account['subscriptions']}")
    paths = {m["name"]: m["path"] for m in account["mailboxes"]}
    equal(paths["Grüße/an alle"], "Maildir/.Grüße.an alle", "the path of a folder")
    equal(paths["a.b"], "Maildir/.a%2Eb", "the path of a folder with a dot")
    rows = rows_of(to)
    top = mailbox.Maildir(to / "Maildir", create=False)
    check("Grüße.an alle" in top.list_folders(), f"folders: {top.list_folders()}")
    for folder in FOLDERS:
        there = mailbox.Maildir(to / paths[folder], create=False)
        wanted = server.fetch(user, utf7(folder))
        uids = dict(line.split(" :", 1) for line in
                    (to / paths[folder] / "dovecot-uidlist").read_text().splitlines()[1:])
        equal(sorted(map(int, uids)), sorted(wanted), f"UIDs of {folder}")
        for uid, octets in wanted.items():
            file = to / paths[folder] / "cur" / uids[str(uid)]
            equal(file.read_bytes(), lines(octets), f"octets of {folder} {uid}")
            row = next(r for r in rows if (r["mailbox"], r["uid"]) == (folder, uid))
            equal(int(file.stat().st_mtime), row["arrived"], "the time of a message")
            equal(there[file.name.split(":")[0]].get_flags().strip("abc"),
                  "".join(sorted({r"\Seen": "S", r"\Answered": "R", r"\Flagged": "F",
                                  r"\Deleted": "T", r"\Draft": "D"}[f] for f in row["flags"]
                                 if f[0] == "\\")), f"flags of {folder} {uid}")
    check("0 $Label1" in (to / paths["Grüße"] / "dovecot-keywords").read_text(), "keywords")
    check(not list((to / "Maildir").glob("**/tmp/*")), "something is left in tmp")

    # It is not written over, and what is half done can be seen.
    equal(server.run("user", "export", user.address, "--to", str(to))[0], 4, "once more")
    pathlib.Path(f"{to}2.partial").mkdir()
    status, _, why = server.run("user", "export", user.address, "--to", f"{to}2/")
    check(status == 4 and "cut off" in why, f"beside a half one: {status} {why}")
    equal(server.run("user", "export", "nobody@example.test", "--to", f"{to}3")[0], 3, "nobody")
    equal(server.run("user", "export", user.address)[0], 1, "no folder")
    equal(server.run("user", "export", user.address, "--to", "/proc/x")[0], 1, "a bad folder")


def until(stop, client, steps):
    """Does the steps in turn, all of them each time."""
    while not stop.is_set():
        for step in steps:
            equal(step(client)[0], "OK", "a step beside the export")
            time.sleep(0.01)


@scenario(120)
def export_while_renamed(server):
    """A mailbox that changes its name between the list and its turn is there all the same."""
    user = server.user("renamer")
    client, stop = server.imap(user), threading.Event()
    client.create("A")
    for k in range(60):
        client.append("INBOX", None, None, message(f"inbox {k}", "x" * 40000))
        client.append("A", None, None, message(f"a {k}", "short"))
    flip = threading.Thread(target=until, args=(stop, client, [
        lambda c: c.rename("A", "Z"), lambda c: c.rename("Z", "A")]))
    flip.start()
    try:
        for k in range(8):
            to = server.home / f"out-renamed{k}"
            how = ("maildir", "mbox")[k % 2]
            done = json.loads(server.order("user", "export", user.address, "--to", str(to),
                                           "--format", how, "--json"))
            equal(done["messages"], 120, f"messages, {k}")
            account = json.loads((to / "account.json").read_text())
            paths = [m["path"] for m in account["mailboxes"] if m["name"] in ("A", "Z")]
            equal(len(paths), 1, f"one mailbox, not {paths}")
            there = to / paths[0]
            equal(len(os.listdir(there / "cur")) if how == "maildir" else
                  len(mailbox.mbox(there, create=False)), 60, f"its messages, {k}")
    finally:
        stop.set()
        flip.join()
    client.logout()


@scenario(120)
def export_while_expunged(server):
    """A message that goes while it is being written leaves no part of itself."""
    user = server.user("expunger")
    client = server.imap(user)
    for how, file in ("mbox", "mbox/INBOX.mbox"), ("maildir", "Maildir/tmp/"):
        to = server.home / f"out-expunged-{how}"
        client.append("INBOX", None, None, message("stays", "short"))
        client.append("INBOX", None, None, message("goes", "y" * 70 + "\r\n") +
                      (b"z" * 70 + b"\r\n") * 500000)
        client.select("INBOX")
        uid = client.uid("SEARCH", "ALL")[1][0].split()[-1]
        client.uid("STORE", uid, "+FLAGS", r"(\Deleted)")
        begun = pathlib.Path(f"{to}.partial") / file
        if how == "maildir":
            begun = begun / uid.decode()
        export = threading.Thread(target=server.order, args=(
            "user", "export", user.address, "--to", str(to), "--format", how))
        export.start()
        for _ in range(2000):
            if begun.exists() and begun.stat().st_size > 8192:
                break
            time.sleep(0.001)
        equal(client.expunge()[0], "OK", "EXPUNGE")
        export.join()
        rows = len(rows_of(to))
        if how == "mbox":
            whole = (to / "mbox/INBOX.mbox").read_bytes()
            equal(len(mailbox.mbox(to / "mbox/INBOX.mbox", create=False)), rows, "messages")
            equal(whole.count(b"Subject:"), rows, "begun messages")
        else:
            equal(len(os.listdir(to / "Maildir/cur")), rows, "messages")
            equal(os.listdir(to / "Maildir/tmp"), [], "begun messages")
            equal(len((to / "Maildir/dovecot-uidlist").read_text().splitlines()), rows + 1,
                  "the list of UIDs")
    client.logout()


@scenario(120)
def export_mbox(server):
    user = server.user("mbox")
    fill(server, user)
    to = server.home / "out-mbox"
    said = server.order("user", "export", user.address, "--format=mbox", f"--to={to}")
    check(said.startswith("15 messages, "), f"said: {said}")
    rows = rows_of(to)
    for folder in FOLDERS:
        path = to / "mbox" / (folder + ".mbox")
        wanted, box = server.fetch(user, utf7(folder)), mailbox.mbox(path, create=False)
        equal(len(box), len(wanted), f"messages of {folder}")
        for key, (uid, octets) in zip(box.keys(), sorted(wanted.items())):
            whole = box.get_bytes(key)
            head, rest = whole.split(b"\n", 4)[:4], whole.split(b"\n", 4)[4]
            equal(head[3], b"X-UID: %d" % uid, "the UID")
            # mboxrd: one ">" of each is ours.
            rest = re.sub(rb"(?m)^>(>*From )", rb"\1", rest)
            wants = lines(octets)
            equal(rest, wants if wants.endswith(b"\n") else wants + b"\n",
                  f"octets of {folder} {uid}")
            row = next(r for r in rows if (r["mailbox"], r["uid"]) == (folder, uid))
            equal(set(box[key].get_flags()),
                  {"O"} | {{r"\Seen": "R", r"\Answered": "A", r"\Flagged": "F",
                            r"\Deleted": "D", r"\Draft": "T"}[f] for f in row["flags"]
                           if f[0] == "\\"}, f"flags of {folder} {uid}")
            equal(head[2].split()[1:], [f.encode() for f in row["flags"] if f[0] != "\\"],
                  "keywords")


def noise(octets):
    """A body that no compression makes shorter, so that it lies in the files as it is."""
    choice = bytes(c for c in range(1, 256) if c not in b"\r\n.")
    return b"\r\n".join(bytes(secrets.choice(choice) for _ in range(500))
                        for _ in range(octets // 500)) + b"\r\n"


def at_terminal(server, typed, *words):
    """The exit status and what the terminal said, where one line is typed at its question."""
    pid, tty = pty.fork()
    if pid == 0:
        os.execv(PROGRAM, [PROGRAM, "-c", str(server.conf), *words])
    said, end = b"", time.monotonic() + 30
    while time.monotonic() < end:
        if not select.select([tty], [], [], 0.5)[0]:
            continue
        try:
            said += os.read(tty, 4096)
        except OSError:
            break
        if said.endswith(b": ") and typed:
            os.write(tty, typed.encode() + b"\n")
            typed = ""
    os.close(tty)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode()


@scenario(120)
def erase_asks(server):
    user = server.user("asked")
    server.deliver(user, message("his"))
    status, said = at_terminal(server, "yes", "user", "erase", user.address)
    check(status == 1 and "1 mail," in said and "nothing was changed" in said, f"yes: {said}")
    equal(len(server.fetch(user)), 1, "his mail")
    status, said = at_terminal(server, user.address, "user", "erase", user.address)
    check(status == 0 and "is erased: 1 mail " in said, f"his address: {said}")
    equal(server.run("user", "show", user.address)[0], 3, "who is erased")


@scenario(120)
def erase_leaves_nothing(server):
    """Each octet of his mail is gone from the store's files, that of others is not."""
    user, other, third = server.user("gone"), server.user("stays"), server.user("busy")
    mine, theirs = [noise(3000 * 10 ** (n % 3)) for n in range(4)], noise(3000)
    for n, body in enumerate(mine):
        server.deliver(user, message(f"mine {n}", body))
        server.deliver(other, message(f"theirs {n}", theirs))
    client = server.imap(user)
    client.select("INBOX")
    client.store("1", "+FLAGS", "\\Deleted")
    client.expunge()  # that one too
    server.order("alias", "add", "old@example.test", user.address)

    def found(body):
        """How many of the pieces of 20 octets are in any file of the store."""
        files = [p.read_bytes() for p in (server.state / "store").rglob("*") if p.is_file()]
        pieces = [body[at:at + 20] for at in range(100, len(body) - 20, len(body) // 10)]
        return sum(any(piece in octets for octets in files) for piece in pieces)

    for body in mine + [theirs]:
        check(found(body) >= 9, "the mail does not lie in the files as it is")
    status, _, why = server.run("user", "erase", user.address)
    check(status == 1 and "--yes" in why, f"without being asked: {status} {why}")
    equal(len(server.fetch(user)), 3, "mails of who was not erased")
    # Mail for others comes in all the time.
    stop, sent = threading.Event(), []

    def traffic():
        with server.smtp() as smtp:
            while not stop.is_set():
                smtp.sendmail("a@elsewhere.example", [third.address], message("busy", theirs))
                sent.append(1)

    busy = [threading.Thread(target=traffic) for _ in range(3)]
    for thread in busy:
        thread.start()
    done = json.loads(server.order("user", "erase", "--yes", "--json", user.address))
    left = [found(body) for body in mine]
    stop.set()
    for thread in busy:
        thread.join()
    equal(len(server.fetch(third)), len(sent), "mails that came meanwhile")
    equal((done["messages"], done["aliases_left"]), (3, ["old@example.test"]), "what was erased")
    check(done["octets_wiped"] >= sum(map(len, mine)), f"what was wiped: {done}")
    equal(left, [0] * 4, "pieces of his mail that are left")
    check(found(theirs) >= 9, "the mail of the other is gone")
    equal(len(server.fetch(other)), 4, "mails of the other")
    equal(server.run("user", "erase", "--yes", user.address)[0], 3, "once more")
    server.deliver(other, message("new", theirs))
    equal(len(server.fetch(other)), 5, "mails of the other")
    check(json.loads(server.order("store", "verify", "--json"))["ok"], "store verify")
    equal(json.loads(server.order("store", "wipe", "--json"))["ok"], True, "store wipe")
    server.order("alias", "delete", "old@example.test")
