# SPDX-License-Identifier: ISC
"""Fibers in gdb, of a live process or of a core:

    (gdb) source tools/gdb-fibers.py
    (gdb) fibers          all of them: name, group, state, what each waits for
    (gdb) fibers bt       the same, with the stack of each that does not run
    (gdb) fibers bt NAME  of those with this name only
"""

import gdb
from gdb.unwinder import Unwinder

# What context_jump (src/fiber/context.c) leaves at the saved stack pointer, by words, and how
# far above it the stack goes on.
SAVED = {
    'i386:x86-64': (['r15', 'r14', 'r13', 'r12', 'rbx', 'rbp', 'rip'], 7, 'rsp', 'rip'),
    'aarch64': ([None] * 8 + ['x%d' % n for n in range(19, 31)], 20, 'sp', 'pc'),
}


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class FiberUnwinder(Unwinder):
    """While a fiber is set, the innermost frame of the thread seems to be called from it."""

    def __init__(self):
        super().__init__('tecsmail fibers')
        self.fiber_sp = None
        self.thread_sp = None

    def __call__(self, pending):
        if self.fiber_sp is None:
            return None
        names, size, sp_name, pc_name = SAVED[pending.architecture().name()]
        sp = pending.read_register(sp_name)
        if int(sp) != self.thread_sp:
            return None
        info = pending.create_unwind_info(FrameId(sp, pending.read_register(pc_name)))
        words = self.fiber_sp.cast(gdb.lookup_type('unsigned long').pointer())
        for place, name in enumerate(names):
            if name == 'x30':
                info.add_saved_register(pc_name, words[place])
            if name:
                info.add_saved_register(name, words[place])
        info.add_saved_register(sp_name, (words + size).cast(words.dereference().type))
        return info

    def backtrace(self, fiber):
        arch = gdb.newest_frame().architecture().name()
        if arch not in SAVED:
            return ['    (no stacks on ' + arch + ')']
        self.thread_sp = int(gdb.newest_frame().read_register(SAVED[arch][2]))
        self.fiber_sp = fiber['context']['sp']
        gdb.invalidate_cached_frames()
        try:
            text = gdb.execute('backtrace', to_string=True)
        finally:
            self.fiber_sp = None
            gdb.invalidate_cached_frames()
        # The innermost frame is the thread's own and no part of the fiber.
        return ['    ' + line for line in text.splitlines() if not line.startswith('#0 ')]


UNWINDER = FiberUnwinder()


def all_fibers():
    loop = gdb.parse_and_eval('fiber_loops')
    while loop:
        fiber = loop['all']
        while fiber:
            yield loop, fiber
            fiber = fiber['next_of_all']
        loop = loop['next_loop']


def text(value):
    return value.string() if value else ''


def waits(fiber):
    what = text(fiber['waits_for'])
    if int(fiber['fd']) >= 0:
        what += ' fd=%d(%s)' % (int(fiber['fd']), 'r' * (int(fiber['what']) & 1) +
                                'w' * (int(fiber['what']) >> 1))
    if int(fiber['timer']):
        what += ' until=%d' % int(fiber['deadline'])
    if fiber['canceled']:
        what += ' canceled'
    return what


class Fibers(gdb.Command):
    """fibers [bt [NAME]]: lists the fibers of the process, with their stacks."""

    def __init__(self):
        super().__init__('fibers', gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = argument.split()
        bt = words[:1] == ['bt']
        count = 0
        for loop, fiber in all_fibers():
            name = text(fiber['name'])
            if words[1:] and name != words[1]:
                continue
            running = loop['running'] == fiber
            state = 'RUNNING' if running else str(fiber['state'])
            print('%s %-16s group=%#x %-7s %s' % (fiber, name, int(fiber['group']), state,
                                                  '' if running else waits(fiber)))
            count += 1
            if bt and not running:
                print('\n'.join(UNWINDER.backtrace(fiber)))
        print('%d fibers' % count)


gdb.unwinder.register_unwinder(None, UNWINDER, replace=True)
Fibers()
