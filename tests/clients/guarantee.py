# SPDX-License-Identifier: ISC
"""The guarantees of accounts: who is refused without encryption and who hears of it, and that the
sending one is told, set and kept."""
import json
import smtplib

from harness import Server, check, equal, message, scenario, wait_until


def in_clear(server):
    """Port 25 as a server that cannot encrypt."""
    client = smtplib.SMTP("localhost", server.port("smtp"), "mail.far.example", timeout=30)
    client.ehlo()
    check(client.mail("eve@far.example")[0] == 250, "MAIL")
    return client


def guarantees(server, user):
    row = next(r for r in json.loads(server.order("user", "list", "--json")) if r["address"] == user.address)
    return [row[f"{whose}{way}_guarantee"] for whose in ("own_", "") for way in ("sending", "receiving")]


@scenario(60)
def guarantee_by_command(_):
    with Server() as server:
        user = server.user("strict")
        equal(guarantees(server, user), ["none", "any", "none", "any"], "at first")
        server.order("user", "set", user.address, "--receiving", "encrypted")
        with in_clear(server) as client:
            equal([client.rcpt(user.address)[0] for _ in range(2)], [550, 550], "in clear")
        server.order("user", "set", user.address, "--sending=authenticated")
        server.order("user", "set", user.address, "--receiving", "any", "--quota=5M")
        server.order("user", "set", user.address, "--receiving", "encrypted")
        server.stop()
        server.start()
        equal(guarantees(server, user), ["authenticated", "encrypted"] * 2, "after a restart")
        shown = server.order("user", "show", user.address)
        check("sending           authenticated\nreceiving         encrypted\n" in shown, shown)
        to = server.home / "export"
        server.order("user", "export", user.address, "--to", str(to))
        account = json.loads((to / "account.json").read_text())
        equal([account["sending_guarantee"], account["receiving_guarantee"]], ["authenticated", "encrypted"], "export")
        equal([(r["sender"], r["recipient"], r["server"], r["count"]) for r in account["refused_unencrypted"]],
              [("eve@far.example", user.address, "mail.far.example", 2)], "who was refused, and is not told yet")
        for word, sentence in (("--sending=any", "not none, encrypted or authenticated"),
                               ("--receiving=none", "not any or encrypted")):
            status, _, why = server.run("user", "set", user.address, word)
            check(status == 1 and sentence in why, f"{word}: {status} {why}")
        log = server.events("user.set")[-1]
        equal([log["sending_guarantee"], log["receiving_guarantee"]], ["authenticated", "encrypted"], "the log")


@scenario(60)
def guarantee_goes_into_queue(_):
    """Each mail keeps the guarantee that it was given with. (They stay: no name is ever found.)"""
    with Server(extra='dns { forward = {"127.0.0.1:9"} }\n') as server:
        user = server.user("strict")
        for word in ("none", "encrypted", "authenticated", "none"):
            server.order("user", "set", user.address, "--sending", word)
            with server.submission(user) as client:
                client.sendmail(user.address, ["eve@far.example"], message(word, sender=user.address))
        queued = [json.loads(server.order("queue", "show", row["id"], "--json"))
                  for row in json.loads(server.order("queue", "list", "--json"))]
        equal(sorted(mail["guarantee"] for mail in queued), ["any", "any", "authenticated", "encrypted"], "queue show")


@scenario(90)
def guarantee_of_receiving(_):
    with Server(extra='receiving { notice = "8s" }\n') as server:
        strict, other = server.user("strict"), server.user("other")
        server.order("alias", "add", "both@example.test", strict.address, other.address)
        server.order("user", "set", strict.address, "--receiving=encrypted")
        with in_clear(server) as client:
            for to in (strict.address, strict.address.replace("@", "+shop@")):
                code, text = client.rcpt(to)
                equal(code, 550, to)
                check(text.startswith(b"5.7.10 this mailbox takes mail over encrypted connections only") and
                      b"5.7.10 dieses Postfach nimmt Mail nur ueber verschluesselte Verbindungen an" in text, text)
            equal(client.rcpt("postmaster@example.test")[0], 250, "postmaster")
            client.rset()
            client.sendmail("eve@far.example", ["both@example.test"], message("to both"))
            equal(server.subjects(other), ["to both"], "the other one behind the alias")
            # The same server, once it has thought better of it.
            client.starttls(context=server.context())
            client.sendmail("eve@far.example", [strict.address], message("encrypted"))
        notice = "Unverschluesselte Mails abgewiesen / Unencrypted mail was refused"
        wait_until(lambda: server.subjects(strict) == sorted(["encrypted", notice]), 40, "the notice")
        text = next(m for m in server.fetch(strict).values() if b"Unencrypted" in m).decode()
        for part in ("From: Postmaster <postmaster@example.test>\r\n", f"eve@far.example -> {strict.address}\r\n",
                     "eve@far.example -> both@example.test\r\n", "    mail.far.example [127.0.0.1], 1 x, "):
            check(part in text.replace("[::1]", "[127.0.0.1]"), f"{part!r} is not in {text}")
        equal(server.subjects(other), ["to both"], "who has no guarantee")
        server.order("user", "set", strict.address, "--receiving=any")
        with in_clear(server) as client:
            equal(client.rcpt(strict.address)[0], 250, "without the guarantee")


@scenario(60)
def guarantee_of_all(_):
    """What the operator wants of each account; a restart does not lose what was refused."""
    extra = 'receiving { guarantee = encrypted\n notice = "3s" }\n'
    with Server(extra=extra) as server:
        user = server.user("plain")
        equal(guarantees(server, user), ["none", "any", "none", "encrypted"], "user list")
        check("receiving         encrypted (as configured for all)" in server.order("user", "show", user.address),
              "user show")
        with in_clear(server) as client:
            equal(client.rcpt(user.address)[0], 550, "the recipient")
            equal(client.rcpt("postmaster")[0], 250, "postmaster")
        wait_until(lambda: server.events("rcpt.unencrypted"), what="the line in the log")
        server.stop()
        server.start()
        wait_until(lambda: len(server.subjects(user)) == 1, 40, "the notice")
