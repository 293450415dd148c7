#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Who is one stranger to the webmail's nginx: an IPv4 address, or an IPv6 /64.

The map of webmail/nginx.conf in an nginx of its own, in a network namespace of its own, where one
request an address is let through.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
NGINX = "/usr/sbin/nginx"
ADDRESSES = ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3", "2001:db8:0:1::1", "127.0.0.1", "127.0.0.2"]
WANT = ["200", "429", "429", "200", "200", "200"]
CONF = """daemon off; pid %(dir)s/pid; error_log %(dir)s/log; events {}
http { access_log off; %(temp)s %(map)s
limit_req_zone $stranger zone=one:1m rate=1r/m; limit_req_status 429;
server { listen [::]:8080 ipv6only=off; location / { limit_req zone=one; root %(dir)s; } } }
"""


def inside(folder):
    """In the namespace."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in ADDRESSES[:4]:
        subprocess.run(["ip", "addr", "add", f"{address}/64", "dev", "lo", "nodad"], check=True)
    nginx = subprocess.Popen([NGINX, "-e", f"{folder}/log", "-c", f"{folder}/conf"])
    got = []
    try:
        for _ in range(100):
            if pathlib.Path(folder, "pid").exists():
                break
            time.sleep(0.05)
        for address in ADDRESSES:
            to = "[2001:db8::1]" if ":" in address else "127.0.0.1"
            got.append(subprocess.run(["curl", "-sg", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "--interface",
                                       address, f"http://{to}:8080/page"], capture_output=True, text=True).stdout)
    finally:
        nginx.terminate()
        nginx.wait()
    if got != WANT:
        sys.exit(f"{dict(zip(ADDRESSES, got))}, wanted {WANT}\n{pathlib.Path(folder, 'log').read_text()}")
    print("1 passed, 0 failed")


def main():
    if len(sys.argv) == 2:
        return inside(sys.argv[1])
    if os.getuid() or subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode:
        print("no network namespace can be made here\n0 passed, 0 failed, 1 skipped")
        return None
    template = (pathlib.Path(__file__).resolve().parent.parent / "webmail" / "nginx.conf").read_text()
    rule = re.search(r"\tmap \$binary_remote_addr \$stranger \{.*?\n\t\}\n", template, re.S).group()
    with tempfile.TemporaryDirectory(prefix="tecsmail-rate.") as folder:
        temp = " ".join(f"{kind}_temp_path {folder}/t;" for kind in
                        ("client_body", "proxy", "fastcgi", "scgi", "uwsgi"))
        os.chmod(folder, 0o755)
        pathlib.Path(folder, "page").write_text("here\n")
        pathlib.Path(folder, "conf").write_text(CONF % {"dir": folder, "temp": temp, "map": rule})
        return subprocess.run(["unshare", "--net", sys.executable, __file__, folder], timeout=30).returncode


sys.exit(main())
