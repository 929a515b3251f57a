"""System calls by number, for what Python and libc have no function."""

from __future__ import annotations

import ctypes
import os
import platform

_libc = ctypes.CDLL(None, use_errno=True)
_NUMBERS = {
    "add_key": (248, 217), "bpf": (321, 280), "clone": (56, 220), "clone3": (435, 435), "execveat": (322, 281),
    "fanotify_init": (300, 262), "init_module": (175, 105), "io_uring_setup": (425, 425), "keyctl": (250, 219),
    "landlock_create_ruleset": (444, 444), "memfd_secret": (447, 447), "mount": (165, 40), "mq_open": (240, 180),
    "open_by_handle_at": (304, 265), "open_tree": (428, 428), "openat2": (437, 437), "perf_event_open": (298, 241),
    "personality": (135, 92), "pidfd_getfd": (438, 438), "pidfd_open": (434, 434), "pivot_root": (155, 41),
    "prlimit64": (302, 261), "process_madvise": (440, 440), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "ptrace": (101, 117), "seccomp": (317, 277), "semget": (64, 190),
    "setns": (308, 268), "shmget": (29, 194), "syslog": (103, 116), "tgkill": (234, 131), "unshare": (272, 97),
    "userfaultfd": (323, 282), "socket": (41, 198), "io_setup": (206, 0), "inotify_init1": (294, 26),
    "timer_create": (222, 107), "sched_setaffinity": (203, 122), "setuid": (105, 146), "vhangup": (153, 58),
    "kexec_load": (246, 104), "process_mrelease": (448, 448), "kcmp": (312, 272), "splice": (275, 76),
    "vmsplice": (278, 75), "copy_file_range": (326, 285), "futex": (202, 98), "signalfd4": (289, 74),
    "epoll_create1": (291, 20), "eventfd2": (290, 19), "pipe2": (293, 59), "mbind": (237, 235),
    "remap_file_pages": (216, 234), "fsopen": (430, 430), "move_mount": (429, 429), "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264), "pkey_mprotect": (329, 288), "clock_settime": (227, 112),
    "sched_setscheduler": (144, 119), "ioprio_set": (251, 30), "membarrier": (324, 283), "sendmsg": (46, 211),
    "mremap": (25, 216), "madvise": (28, 233), "mprotect": (10, 226), "mmap": (9, 222), "sendto": (44, 206),
    "recvfrom": (45, 207), "recvmsg": (47, 212),
    "mlock": (149, 228), "rt_sigqueueinfo": (129, 138), "set_mempolicy": (238, 237), "dup3": (292, 24),
    "swapon": (167, 224), "acct": (163, 89), "chroot": (161, 51), "openat": (257, 56),
}  # fmt: skip


def call(name: str, *arguments: int | bytes | None) -> int:
    """Make the call; raises OSError with its errno."""
    number = _NUMBERS[name][0 if platform.machine() == "x86_64" else 1]
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = int(_libc.syscall(ctypes.c_long(number), *wide))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
