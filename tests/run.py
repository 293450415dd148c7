#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Runs the parts of the test suite one after the other and counts.

    tests/run.py [--quick]

Each part is a command; a part of Meson's brings the count of its tests, a runner of ours ends
with "N passed, N failed[, N skipped]", anything else counts as one. What a failed part said is
printed; all of it is kept in build-test/log/.
"""
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build-test"
LOG = BUILD / "log"
CLOSING = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)
MESON = re.compile(r"^(Ok|Expected Fail|Fail|Unexpected Pass|Skipped|Timeout):\s+(\d+)", re.M)

# name, in --quick too, seconds at most, command
PARTS = [
    ("rooms", True, 60, ["tools/check-rooms"]),
    ("rfc", True, 60, ["tools/check-rfc"]),
    ("size", True, 60, ["tools/check-size"]),
    ("format", True, 120, ["tools/check-format"]),
    ("words", True, 60, ["tools/check-words"]),
    ("gcc", True, 900, ["tools/build", "build-test", "gcc", "address,undefined"]),
    ("unit", True, 900, ["meson", "test", "-C", "build-test", "--no-rebuild", "--suite", "unit"]),
    ("release", False, 900, ["tools/build", "build", "gcc", "none"]),
    ("clang", False, 900, ["tools/build", "build-clang", "clang", "address,undefined"]),
    ("fuzz", False, 600, ["meson", "test", "-C", "build-clang", "--no-rebuild", "--suite", "fuzz"]),
    ("clients", False, 900, ["tests/clients/run"]),
    ("outbound", False, 240, ["tests/outbound/run"]),
    ("lockout", False, 240, ["tests/lockout.py"]),
    ("web", False, 180, ["tests/web.py"]),
    ("webmail-trust", False, 180, ["tests/webmail_trust.py"]),
    ("webmail-rate", False, 60, ["tests/webmail_rate.py"]),
    ("webmail-php", True, 30, ["php", "tests/webmail/plugin_test.php"]),
    ("webmail", False, 300, ["tests/webmail/run"]),
    ("acme", False, 180, ["tests/acme.py"]),
    ("queue-command", False, 180, ["tests/queue_command.py"]),
    ("ways", False, 180, ["tests/ways.py"]),
    ("receipts", False, 180, ["tests/receipts.py"]),
    ("rollover", False, 240, ["tests/rollover.py"]),
    ("reports", False, 180, ["tests/reports.py"]),
    ("ban", False, 180, ["tests/ban.py"]),
    ("ban-server", False, 300, ["tests/ban_server.py"]),
    ("kill", False, 600, ["tests/kill.py"]),
    ("courier", False, 290, ["tests/courier.py"]),
    ("queue-kill", False, 600, ["tests/queue_kill.py"]),
]


def count(text, code):
    """(passed, failed, skipped) of a part's output."""
    own = CLOSING.findall(text)
    if own:
        passed, failed, skipped = (int(n or 0) for n in own[-1])
        return passed, failed or (1 if code else 0), skipped
    rows = dict(MESON.findall(text))
    if rows:
        number = {name: int(n) for name, n in rows.items()}
        passed = number.get("Ok", 0) + number.get("Expected Fail", 0)
        failed = number.get("Fail", 0) + number.get("Unexpected Pass", 0) + number.get("Timeout", 0)
        return passed, failed or (1 if code else 0), number.get("Skipped", 0)
    return (0, 1, 0) if code else (1, 0, 0)


def run(name, seconds, command):
    started = time.monotonic()
    env = dict(os.environ, TECSMAIL=str(BUILD / "tecsmail"))
    env.setdefault("ASAN_OPTIONS", "detect_stack_use_after_return=0:abort_on_error=1")
    env.setdefault("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")
    with open(LOG / f"{name}.log", "wb") as log:
        try:
            code = subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT,
                                  stdin=subprocess.DEVNULL, timeout=seconds, env=env).returncode
        except subprocess.TimeoutExpired:
            log.write(f"\nnot done after {seconds} s\n".encode())
            code = 124
    text = (LOG / f"{name}.log").read_text(errors="replace")
    passed, failed, skipped = count(text, code)
    print(f"{'ok' if not failed else 'FAILED':6} {name:10} {passed:4} passed {failed:3} failed "
          f"{skipped:3} skipped {time.monotonic() - started:6.1f} s", flush=True)
    if failed:
        print("\n".join("    " + line for line in text.splitlines()[-60:]), flush=True)
    return passed, failed, skipped


def main():
    quick = sys.argv[1:] == ["--quick"]
    if sys.argv[1:] and not quick:
        sys.exit("usage: ./test [--quick]")
    LOG.mkdir(parents=True, exist_ok=True)
    total = [0, 0, 0]
    for name, in_quick, seconds, command in PARTS:
        if quick and not in_quick:
            continue
        total = [a + b for a, b in zip(total, run(name, seconds, command))]
    passed, failed, skipped = total
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


sys.exit(main())
