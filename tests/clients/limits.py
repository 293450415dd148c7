# SPDX-License-Identifier: ISC
"""How much an account may send and keep, and who is told."""
import email
import email.policy
import json
import smtplib

from harness import Server, User, check, equal, message, scenario

SENDING = """
sending { messages_per_day = 6  recipients_per_day = 12  new_recipients_per_day = 3 }
postmaster = "demo1@example.test"
"""


def send(server, user, to):
    """Sends one mail as the user; {refused address: code}."""
    with server.submission(user) as client:
        try:
            refused = client.sendmail(user.address, to, message("out", sender=user.address))
        except smtplib.SMTPRecipientsRefused as no:
            refused = no.recipients
    return {address: code for address, (code, _) in refused.items()}


@scenario(120)
def sending_limits(_):
    with Server(SENDING) as server:
        user, others = server.user("sender"), [server.user("to").address for _ in range(5)]
        equal(send(server, user, others), dict.fromkeys(others[3:], 450), "over at the 4th stranger")
        equal(send(server, user, others[:3]), {}, "to those he wrote to")
        equal(send(server, user, [others[4]]), {others[4]: 450}, "to a stranger")
        told = [s for s in server.subjects(server.demo1) if s.startswith("Sendelimit")]
        equal(told, [f"Sendelimit / sending limit: {user.address}"], "what the operator was told")
        equal(len(server.events("sending.limit")), 1, "lines in the log")

        shown = json.loads(server.order("user", "show", "--json", user.address))["sending"]
        equal(shown, {"messages": {"used": 2, "limit": 6, "own": False},
                      "recipients": {"used": 6, "limit": 12, "own": False},
                      "new_recipients": {"used": 3, "limit": 3, "own": False}}, "user show")
        check("3 of 3" in server.order("user", "show", user.address), "user show for people")

        # The counts are there after a restart, and a higher limit helps at once.
        server.stop()
        server.start()
        equal(send(server, user, [others[4]]), {others[4]: 450}, "to a stranger after a restart")
        server.order("user", "limits", user.address, "--new-recipients=100")
        equal(send(server, user, others), {}, "with a limit of his own")
        equal(send(server, user, [others[0]] * 2), {others[0]: 450}, "over at the 13th recipient")
        server.order("user", "limits", user.address, "--recipients=0", "--messages", "4")
        shown = json.loads(server.order("user", "show", "--json", user.address))["sending"]
        equal([shown[k]["limit"] for k in ("messages", "recipients", "new_recipients")],
              [4, 0, 100], "limits of his own")
        equal(send(server, user, others[:1]), {others[0]: 450}, "over at the 5th message")
        server.order("user", "limits", user.address, "--messages=default")
        equal(send(server, user, others[:1]), {}, "back to the limit of all")
        status, _, why = server.run("user", "limits", user.address, "--messages=many")
        check(status == 1 and "is no limit" in why, f"no number: {status} {why}")
        equal(server.run("user", "show", "nobody@example.test")[0], 3, "status for nobody")


@scenario()
def quota_warning(server):
    user = User("voll@example.test", "Secret-12345")
    server.order("user", "add", "--password-stdin", "--quota=200K", user.address,
                 stdin=user.password + "\n")

    def warnings():
        return [m for m in server.fetch(user).values() if b"Auto-Submitted: auto-generated" in m]

    for n in range(5):
        server.deliver(user, message(f"mail {n}", "x" * 36000 + "\r\n"))
    equal(len(warnings()), 0, "warnings below")
    server.deliver(user, message("over", "x" * 8000 + "\r\n"))
    equal(len(warnings()), 1, "warnings above")
    mail = email.message_from_bytes(warnings()[0], policy=email.policy.default)
    equal((mail["From"], mail["To"]), ("Postmaster <postmaster@example.test>",
                                       user.address), "from whom to whom")
    check("löschen" in mail.get_content() and "delete" in mail.get_content(), "in both languages")
    equal(mail.get_content_type(), "text/plain", "its type")
    server.deliver(user, message("more", "x" * 3000 + "\r\n"))
    equal(len(warnings()), 1, "warnings after one more")
    client = server.imap(user)
    client.select("INBOX")
    client.store("1:*", "+FLAGS", "\\Deleted")
    client.expunge()
    client.append("INBOX", None, None, message("big", "x" * 150000 + "\r\n"))
    client.select("INBOX")
    client.append("Drafts", None, None, message("draft", "x" * 35000 + "\r\n"))
    client.logout()
    equal(len(warnings()), 1, "warnings after a fall and an APPEND")
    # A COPY fills too.
    client = server.imap(user)
    for folder in ("INBOX", "Drafts"):
        client.select(folder)
        client.store("1:*", "+FLAGS", "\\Deleted")
        client.expunge()
    client.append("Drafts", None, None, message("half", "x" * 95000 + "\r\n"))
    client.select("Drafts")
    equal(len(warnings()), 0, "warnings before a COPY")
    equal(client.copy("1", "Archive")[0], "OK", "COPY")
    equal(len(warnings()), 1, "warnings after a COPY")
    client.logout()
    shown = server.order("user", "show", user.address)
    check("of 200K" in shown, f"user show: {shown}")
