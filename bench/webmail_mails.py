# SPDX-License-Identifier: ISC
"""Mails of several kinds, the same ones at each run: text, HTML, attachments, umlauts."""
import base64
import collections
import ctypes
import email.header
import email.utils
import random
import time

Mail = collections.namedtuple("Mail", "octets when date seen")
WORDS = ("Angebot Rechnung Termin Grüße Straße Übersicht Protokoll Bericht Anlage Frage Antwort "
         "meeting invoice report travel weekend project budget garden kitchen winter "
         "heute morgen nächste Woche bitte danke gern vielleicht später wieder schön größer").split()
NAMES = ("Jürgen Groß", "Anna Schmidt", "Peter Müller", "Mary Jones", "Léa Dubois", "Olaf Weiß")
FIRST = 1_600_000_000  # of the oldest mail; one comes every three hours
GAP_S = 3 * 3600


def words(rng, number):
    return " ".join(rng.choice(WORDS) for _ in range(number))


def text(rng, n, least, most):
    lines = [f"Mail number {n}."]
    lines += [words(rng, 11) + ("." if rng.random() < .3 else ",") for _ in range(rng.randint(least, most))]
    return "\r\n".join(lines) + "\r\n"


def html(rng, n):
    rows = "".join(f'<tr><td style="padding:4px">{words(rng, 4)}</td><td>{rng.randint(1, 999)} €</td></tr>\r\n'
                   for _ in range(rng.randint(10, 60)))
    return (f"<html><head><style>td {{ color: #333 }}</style></head><body><h1>{words(rng, 3)}</h1>\r\n"
            f"<p>Mail number {n}.</p>\r\n<table>{rows}</table>\r\n<p>{words(rng, 60)}</p></body></html>\r\n")


def part(kind, octets, extra=""):
    coded = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n{extra}\r\n".encode() + coded


def plain(rng, n):
    return b"Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + \
        text(rng, n, 5, 60).encode()


def page(rng, n):
    return part("text/html; charset=UTF-8", html(rng, n).encode())


def multi(kind, parts, n):
    edge = f"=_edge_{kind}_{n}"
    body = b"".join(f"--{edge}\r\n".encode() + p + b"\r\n" for p in parts)
    return f'Content-Type: multipart/{kind}; boundary="{edge}"\r\n\r\n'.encode() + body + f"--{edge}--\r\n".encode()


def both(rng, n):
    return multi("alternative", [plain(rng, n), page(rng, n)], n)


def attached(rng, n):
    name = f'Content-Disposition: attachment; filename="Bericht {n}.pdf"\r\n'
    files = [part("application/pdf", rng.randbytes(rng.randint(5000, 60000)), name)
             for _ in range(rng.randint(1, 2))]
    return multi("mixed", [both(rng, n), *files], n)


KINDS = (plain, 40), (both, 35), (attached, 15), (page, 10)


def one(n):
    rng = random.Random(n)
    when = FIRST + n * GAP_S
    date, sender = email.utils.formatdate(when), rng.choice(NAMES)
    subject = email.header.Header(f"{words(rng, rng.randint(2, 7))} {n}", "utf-8", maxlinelen=900).encode()
    head = (f"Return-Path: <sender{n % 97}@elsewhere.example>\r\n"
            "Received: from mx.elsewhere.example ([192.0.2.7]) by mail.example.test with ESMTPS\r\n"
            f" id {n:08x} for <demo1@example.test> tls TLS_AES_256_GCM_SHA384 group X25519\r\n"
            f" (TLSv1.3); {date}\r\n"
            f"From: {email.utils.formataddr((sender, f'sender{n % 97}@elsewhere.example'))}\r\n"
            f"To: demo1@example.test\r\nSubject: {subject}\r\nDate: {date}\r\n"
            f"Message-ID: <{n}.bench@elsewhere.example>\r\nMIME-Version: 1.0\r\n").encode()
    kind = rng.choices([k for k, _ in KINDS], [weight for _, weight in KINDS])[0]
    internal = time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(when))
    return Mail(head + kind(rng, n), when, internal, rng.random() < .9)


def all_of(number):
    """Mails 1 to number: the number of a mail is its UID, and stands in its text."""
    return map(one, range(1, number + 1))


def hash_of(password):
    """As Debian hashes passwords."""
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    return crypt(password.encode(), b"$y$j9T$0123456789abcdef$").decode()
