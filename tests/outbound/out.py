# SPDX-License-Identifier: ISC
"""What the scenarios of mail to others share: submitting, waiting, reading reports."""
import email
import email.policy
import re
import time

from harness import Failed, check, equal, message, wait_until

FIRST_S = 20  # within this a mail has gone, with the retry plan of world.Ours and a busy machine


def submit(ours, user, to, octets, options=(), rcpt_options=()):
    """As a user's program does. options: of MAIL, as in smtplib."""
    to = [to] if isinstance(to, str) else to
    with ours.submission(user) as client:
        client.ehlo()
        equal(client.sendmail(user.address, to, octets, options, rcpt_options), {}, "refused")


def mail(ours, user, to, subject, options=(), rcpt_options=(), body="hello\r\n", **how):
    submit(ours, user, to, message(subject, body, sender=user.address, to="you@world.example", **how),
           options, rcpt_options)


def came(server, count=1, seconds=FIRST_S, what="mail"):
    """The mails that a scripted server took, when there are so many."""
    return wait_until(lambda: server.mails[:] if len(server.mails) >= count else None, seconds,
                      f"{what} at {server.name}")


def stays(condition, seconds, what):
    """It is so for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        check(condition(), what)
        time.sleep(0.1)


def value(field):
    """What stands behind the type: "rfc822; a@b.example"."""
    return str(field).split(";", 1)[1].strip()


class Report:
    """A report of RFC 3464: fields of the message, and of its recipients by address."""

    def __init__(self, octets):
        self.octets = octets
        self.mail = email.message_from_bytes(octets, policy=email.policy.default)
        equal(self.mail.get_content_type(), "multipart/report", "content type")
        equal(self.mail["Content-Type"].params["report-type"], "delivery-status", "report-type")
        check(octets.startswith(b"Return-Path: <>"), f"its sender: {octets[:100]}")
        parts = list(self.mail.iter_parts())
        check(len(parts) in (2, 3), f"{len(parts)} parts")
        self.text = parts[0].get_content() if not parts[0].is_multipart() else "".join(
            p.get_content() for p in parts[0].walk() if not p.is_multipart())
        equal(parts[1].get_content_type(), "message/delivery-status", "the second part")
        self.fields, *rows = parts[1].get_payload()
        self.rcpt = {value(row["Final-Recipient"]): row for row in rows}
        self.returned = parts[2] if len(parts) > 2 else None
        equal(value(self.fields["Reporting-MTA"]), "mail.example.test", "Reporting-MTA")

    def expect(self, address, action, status, said=None):
        row = self.rcpt.get(address)
        check(row, f"{address} is not in the report: {list(self.rcpt)}")
        equal(str(row["Action"]), action, f"Action of {address}")
        check(str(row["Status"]).startswith(status), f"Status of {address}: {row['Status']}, wanted {status}")
        if said:
            code = " ".join(str(row["Diagnostic-Code"]).split())
            check(said in code, f"Diagnostic-Code of {address}: {code}, wanted {said}")
        return row


def reports(ours, user):
    """Those that our server made."""
    return [Report(m) for m in ours.fetch(user).values()
            if b"report-type" in m and re.search(rb"(?m)^Reporting-MTA: dns; *mail\.example\.test\r$", m)]


def report(ours, user, address, seconds=FIRST_S):
    """The report about an address, when it is there."""
    def there():
        return next((r for r in reports(ours, user) if address in r.rcpt), None)
    return wait_until(there, seconds, f"a report about {address}")


def gather(waits, seconds):
    """Waits for many things at once: {name: function that gives something true}. What did not
    happen is told together."""
    left, got, end = dict(waits), {}, time.monotonic() + seconds
    while left and time.monotonic() < end:
        for name in list(left):
            found = left[name]()
            if found:
                got[name] = found
                del left[name]
        time.sleep(0.1)
    if left:
        raise Failed(f"not within {seconds} s: {', '.join(left)}")
    return got
