#!/bin/sh
# SPDX-License-Identifier: ISC
# gdb_test.sh TARGET HELPER - tools/gdb-fibers.py finds the fibers of a process and their stacks.
command -v gdb >/dev/null || exit 77
export ASAN_OPTIONS=detect_leaks=0 # the leak checker does not run under a debugger
out=$(gdb -batch -nx -ex 'set confirm off' -ex run -ex "source $2" -ex 'fibers bt' \
    -ex 'fibers bt waiter' "$1" 2>&1 </dev/null)
case $out in
*'Could not trace the inferior'* | *'ptrace: Operation not permitted'*) exit 77 ;;
esac
must() {
	echo "$out" | grep -Eq "$1" && return
	echo "$out"
	echo "not found: $1"
	exit 1
}
must '^3 fibers$'
must '^1 fibers$'
must ' main +group=0x0 RUNNING'
must ' reader +group=0x[0-9a-f]+ PARKED +a descriptor fd=[0-9]+\(r\) until='
must ' waiter +group=0x[0-9a-f]+ PARKED +a signal'
must '#[0-9]+ .*fiber_wait_fd \('
must '#[0-9]+ .*reads \('
must '#[0-9]+ .*level \(n='
must '#[0-9]+ .*begin \(arg='
must '#[0-9]+ .*context_start \(\)'
