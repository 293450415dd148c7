#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Reads the reports that report_test.c writes as a mail program would: report_test.py PROGRAM"""
import email
import email.policy
import subprocess
import sys


def report(kind):
    raw = subprocess.run([sys.argv[1], kind], check=True, capture_output=True, timeout=60).stdout
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r"), "every line ends with CR LF"
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    mail = email.message_from_bytes(raw, policy=email.policy.SMTP)
    assert not mail.defects, mail.defects
    assert mail.get_content_type() == "multipart/report" and "a@x.test" in mail["To"]
    assert mail["Auto-Submitted"] == "auto-replied" and mail["References"] == "<one@x.test>"
    human, status, original = mail.iter_parts()
    assert human.get_content_type() == "text/plain"
    return mail, human.get_content(), status, original


def fields(status):
    """The groups of message/delivery-status, each a message of fields alone."""
    assert status["Content-Transfer-Encoding"] == "7bit"  # RFC 3464 2.1
    blocks = status.get_payload()
    assert all(not b.get_payload() for b in blocks)
    return blocks


def failure():
    mail, human, status, original = report("failure")
    assert mail.get_param("report-type") == "delivery-status"
    assert "nicht zugestellt" in mail["Subject"] and "not delivered" in mail["Subject"]
    assert "Diese Adresse gibt es dort nicht." in " ".join(human.split())
    assert "There is no such address there." in " ".join(human.split())
    assert "gone@b.test:" in human and "slow@b.test:" in human and "fine@b.test" not in human
    message, gone, slow = fields(status)
    assert message["Reporting-MTA"] == "dns;mail.x.test" and message["Original-Envelope-Id"] == "id=7"
    assert gone["Original-Recipient"] == "rfc822;old+name@b.test"
    assert gone["Final-Recipient"] == "rfc822;gone@b.test" and gone["Status"] == "5.1.1"
    assert gone.get_all("Action") == ["failed"], "what a server says adds no field"
    assert gone["Diagnostic-Code"] == "smtp;550 5.1.1 No such Action: delivered?"
    assert slow["Status"] == "4.4.7" and slow["Action"] == "failed"
    assert original.get_content_type() == "text/rfc822-headers"
    assert b"Message-ID: <one@x.test>" in original.get_payload(decode=True)


def others():
    _, _, _, original = report("full")
    assert original.get_content_type() == "message/rfc822"
    assert original.get_payload(0)["Message-ID"] == "<one@x.test>"
    assert original.get_payload(0).get_payload() == "body\r\n"
    mail, human, status, _ = report("delay")
    block = fields(status)[1]
    assert len(fields(status)) == 2 and block["Action"] == "delayed" and block["Status"] == "4.4.1"
    assert block["Will-Retry-Until"] and "noch unterwegs" in human
    _, human, status, _ = report("success")
    assert fields(status)[1]["Action"] == "relayed" and fields(status)[1]["Status"] == "2.0.0"
    mail, _, status, original = report("utf8")
    assert mail.get_param("report-type") == "global-delivery-status"
    assert status.get_content_type() == "message/global-delivery-status"
    assert original.get_content_type() == "message/global-headers"


failure()
others()
print("reports: a mail program reads all five")
