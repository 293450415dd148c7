#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""resolver_test.py PROGRAM - makes the zones that resolver_test.c asks for, and runs it."""
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests"))
from zones import Zones, missing  # noqa: E402

DIGEST = "5a" * 32
SIGNED = f"""
@ IN NS ns
ns IN A 127.0.0.1
@ IN MX 20 mx2
@ IN MX 10 MX1.signed.test.
mx1 IN A 127.0.0.1
mx1 IN A 127.0.0.2
mx1 IN AAAA ::1
mx2 IN A 127.0.0.3
_25._tcp.mx1 IN TLSA 3 1 1 {DIGEST}
_25._tcp.mx1 IN TLSA 2 0 1 {DIGEST}
_mta-sts IN TXT "v=STSv1; " "id=20260101;"
alias IN CNAME mx1
twice IN CNAME alias
dead IN CNAME nobody
out IN CNAME mx.plain.test.
null IN MX 0 .
odd IN MX 10 with\\032space.signed.test.
""" + "".join(f"many IN A 127.1.1.{n}\n" for n in range(1, 201))
SMALL = f"@ IN NS ns\nns IN A 127.0.0.1\n@ IN MX 10 mx\nmx IN A 127.0.0.4\n_25._tcp.mx IN TLSA 3 1 1 {DIGEST}\n"
DELEGATED = ("signed", "hashed", "plain", "expired", "forged", "otherkey", "stripped", "refused", "silent")


def forge(text):
    changed = text.replace("127.0.0.4", "127.0.0.5")
    assert changed != text
    return changed


def strip(text):
    return "\n".join(line for line in text.splitlines() if not re.search(r"\s(RRSIG|NSEC|DNSKEY)\s", line)) + "\n"


def make(dns):
    dns.zone("signed.test", SIGNED)
    dns.zone("hashed.test", SMALL, nsec3=True)
    dns.zone("plain.test", SMALL + "in IN CNAME mx1.signed.test.\n", sign=False)
    dns.zone("expired.test", SMALL, expired=True)
    dns.zone("forged.test", SMALL, after=forge)
    dns.zone("stripped.test", SMALL, after=strip)
    # The parent is told of one key, the zone is signed with another.
    dns.zone("otherkey.test", SMALL, tell_parent=False)
    told = dns.key("otherkey.test.")
    dns.ds["otherkey.test"] = (dns.home / (told + ".ds")).read_text()
    names = "".join(f"{name}.test. IN NS ns.{name}.test.\nns.{name}.test. IN A 127.0.0.1\n" for name in DELEGATED)
    dns.zone(".", "@ IN NS ns.\nns. IN A 127.0.0.1\n" + names)


def refuse(server):
    """Answers each question with REFUSED until the socket is closed."""
    while True:
        try:
            question, peer = server.recvfrom(4096)
            server.sendto(question[:2] + b"\x80\x05" + question[4:], peer)
        except OSError:
            return


def main():
    if missing():
        print("not there:", *missing())
        return 77
    with tempfile.TemporaryDirectory(prefix="tecsmail-dns-") as home, Zones(home) as dns, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as refusing:
        make(dns)
        dns.start()
        silent.bind((dns.ip, 0))
        refusing.bind((dns.ip, 0))
        threading.Thread(target=refuse, args=[refusing], daemon=True).start()
        ports = [str(port) for port in (dns.port, silent.getsockname()[1], refusing.getsockname()[1])]
        return subprocess.run([sys.argv[1], dns.ip, *ports, str(dns.anchor)], timeout=50).returncode


sys.exit(main())
