# SPDX-License-Identifier: ISC
"""A machine of our own within this one: network, mounts and processes in new namespaces.

    space.enter()       from the script's first lines on: never returns outside

In it the network is a small internet that reaches nowhere: our server has the address OURS, and
every address of the networks PEERS and PEERS6 (those of RFC 5737 and 3849, for documentation) and of
the root name server is there for others, each with its ports 25, 53 and 443. So nothing of our
server has to know that it is a test. All that was started ends with it. What programs read of the
machine (/etc/resolv.conf, the authorities that are trusted, the users) is laid over by overlay(),
for them alone.
"""
import os
import pathlib
import subprocess
import sys

UNSHARE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
OURS, OURS6 = "198.51.100.25", "2001:db8::25"
PEERS, PEERS6 = "203.0.113.", "2001:db8:1::"
ROOT = "198.41.0.4"  # a.root-servers.net, as all resolvers know it
NETWORK = f"""link set lo up
address add {OURS}/32 dev lo
route add local {PEERS}0/24 dev lo src {OURS}
route add local {ROOT}/32 dev lo src {OURS}
"""
NETWORK6 = f"""address add {OURS6}/128 dev lo nodad
route add local {PEERS6}/64 dev lo
"""
MARK = "TECSMAIL_OUTBOUND_INSIDE"


def reason():
    """Why no such machine can be made here, or None."""
    if os.geteuid() != 0:
        return "not root: no namespaces, and Postfix starts only as root"
    try:
        done = subprocess.run([*UNSHARE, "ip", "link", "set", "lo", "up"], capture_output=True,
                              text=True, timeout=20)
    except OSError as why:
        return f"no namespaces here: {why}"
    return f"no namespaces here: {done.stderr.strip()[-200:]}" if done.returncode else None


def enter():
    """Returns inside; outside it tells the result of the run inside, or why there is none."""
    if os.environ.pop(MARK, None):
        subprocess.run(["ip", "-batch", "-"], input=NETWORK, text=True, check=True)
        if pathlib.Path("/proc/sys/net/ipv6/ip_nonlocal_bind").exists():
            pathlib.Path("/proc/sys/net/ipv6/ip_nonlocal_bind").write_text("1")
            subprocess.run(["ip", "-6", "-batch", "-"], input=NETWORK6, text=True, check=True)
        return
    why = reason()
    if why:
        print(f"skip outbound: {why}\n0 passed, 0 failed, 1 skipped")
        sys.exit(0)
    os.environ[MARK] = "1"
    # Whoever ends this process ends those inside too: --kill-child.
    os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, *sys.argv])


def overlay(path, text):
    """Within this namespace the file has this text. Returns where the text is."""
    over = pathlib.Path(f"/run/outbound{path.replace('/', '.')}")
    over.write_text(text)
    over.chmod(0o644)
    target = pathlib.Path(path).resolve()
    subprocess.run(["mount", "--bind", str(over), str(target)], check=True)
    return over


def own_folders(*paths):
    """These folders are empty within this namespace."""
    for path in paths:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "outbound", path], check=True)
