# SPDX-License-Identifier: ISC
"""TLS reports (RFC 8460) as another server sends them: big.REST, which signs them.

    key = Key(folder)          key.record: of sel._domainkey
    key.letter(report(...))    the mail
"""
import base64
import datetime
import gzip
import json
import pathlib
import subprocess

import dkim


def day(back):
    return datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=back)


def report(failures=2, domain="ours.test", ident="one", back=1):
    return {"organization-name": "Big", "report-id": ident, "contact-info": "a@big.test",
            "date-range": {"start-datetime": f"{day(back)}T00:00:00Z", "end-datetime": f"{day(back)}T23:59:59Z"},
            "policies": [{"policy": {"policy-type": "sts", "policy-domain": domain},
                          "summary": {"total-successful-session-count": 7, "total-failure-session-count": failures},
                          "failure-details": [{"result-type": "certificate-expired", "failed-session-count": failures}]}]}


class Key:
    def __init__(self, home):
        file = str(pathlib.Path(home) / "big.key")
        subprocess.run(["openssl", "genrsa", "-out", file, "2048"], check=True, capture_output=True)
        self.private = pathlib.Path(file).read_bytes()
        public = subprocess.run(["openssl", "rsa", "-in", file, "-pubout", "-outform", "DER"], check=True,
                                capture_output=True).stdout
        text = base64.b64encode(public).decode()
        self.record = f'"v=DKIM1; s=tlsrpt; k=rsa; p=" "{text[:200]}" "{text[200:]}"'

    def letter(self, what, sender="noreply@big.test", sign=True, spoil=False, domain="big.test",
               cover=(b"from", b"subject")):
        """what: a report, signed by domain; spoil: changed after that."""
        body = base64.encodebytes(gzip.compress(json.dumps(what).encode())).decode().replace("\n", "\r\n")
        text = (f"From: Big <{sender}>\r\nTo: tls-reports@ours.test\r\nSubject: Report\r\nMIME-Version: 1.0\r\n"
                "Content-Type: multipart/report; report-type=tlsrpt; boundary=b\r\n\r\n--b\r\n\r\nA report.\r\n--b\r\n"
                "Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                f"{body}\r\n--b--\r\n").encode()
        if sign:
            text = dkim.sign(text, b"sel", domain.encode(), self.private, canonicalize=(b"relaxed", b"simple"),
                             include_headers=list(cover)) + text
        return text.replace(b"A report.", b"A Report.") if spoil else text
