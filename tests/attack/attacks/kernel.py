"""Attacks through kernel interfaces that no query needs: each was a source of kernel exploits, or a way to change
what the jail is."""

from __future__ import annotations

import ctypes
import os
import socket
import struct

from .raw import call

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> object:
    if _libc.prctl(option, value, 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "prctl")
    return option


def file_in_memory() -> object:
    return os.memfd_create("attack")


def secret_memory() -> object:
    return call("memfd_secret", 0)


def io_uring() -> object:
    return call("io_uring_setup", 1, bytes(120))


def old_asynchronous_io() -> object:
    return call("io_setup", 1, bytes(8))


def read_the_key_ring() -> object:
    return call("keyctl", 0, -3, 0)


def add_a_key() -> object:
    return call("add_key", b"user", b"attack", b"x", 1, -2)


def handle_page_faults() -> object:
    return call("userfaultfd", 1)


def load_bpf() -> object:
    return call("bpf", 0, struct.pack("IIII", 2, 4, 8, 1) + bytes(112), 128)


def measure_performance() -> object:
    return call("perf_event_open", struct.pack("IIQ", 1, 128, 0) + bytes(112), 0, -1, -1, 0)


def new_user_namespace() -> object:
    return call("unshare", 0x10000000)


def new_network_namespace() -> object:
    return call("unshare", 0x40000000)


def enter_another_namespace() -> object:
    return call("setns", 0, 0)


def mount_a_file_system() -> object:
    return call("mount", b"attack", b"/", b"tmpfs", 0, 0)


def clone_a_mount() -> object:
    return call("open_tree", -100, b"/", 1)


def change_the_root() -> None:
    os.chroot("/")


def pivot_the_root() -> object:
    return call("pivot_root", b".", b".")


def load_a_module() -> object:
    return call("init_module", 0, 0, b"")


def read_the_kernel_log() -> object:
    return call("syslog", 10, 0, 0)


def host_name() -> None:
    socket.sethostname("attack")


def become_root() -> None:
    os.setuid(0)


def take_groups() -> None:
    os.setgroups([])


def personality_without_randomness() -> object:
    return call("personality", 0x0040000)


def another_seccomp_listener() -> object:
    return call("seccomp", 1, 8, struct.pack("HxxxxxxP", 0, 0))


def seccomp_by_prctl() -> object:
    return _prctl(22, 2)


def keep_capabilities() -> object:
    return _prctl(8, 0)


def shared_memory_segment() -> object:
    return call("shmget", 0, 4096, 0o1600)


def semaphores() -> object:
    return call("semget", 0, 1, 0o1600)


def message_queue() -> object:
    return call("mq_open", b"attack", 0o102, 0o600, 0)


def watch_files() -> object:
    return call("inotify_init1", 0)


def watch_the_whole_system() -> object:
    return call("fanotify_init", 0, 0)


def reopen_by_handle() -> object:
    return call("open_by_handle_at", -100, struct.pack("II8s", 8, 1, bytes(8)), 0)


def terminal_injection() -> object:
    import fcntl

    return fcntl.ioctl(0, 0x5412, b"x")


def swap() -> object:
    return call("swapon", b"/", 0)


def accounting() -> object:
    return call("acct", None)


def another_kernel() -> object:
    return call("kexec_load", 0, 0, 0, 0)


def compare_with_the_parent() -> object:
    return call("kcmp", os.getpid(), 1, 0, 0, 0)


def splice_into_a_pipe() -> object:
    return call("splice", 0, 0, 1, 0, 1, 0)


def give_pages_to_a_pipe() -> object:
    return call("vmsplice", 1, struct.pack("PN", 0, 0), 1, 0)


def copy_between_files() -> object:
    return call("copy_file_range", 0, 0, 1, 0, 1, 0)


def signals_as_a_file() -> object:
    return call("signalfd4", -1, bytes(8), 8, 0)


def wait_for_events() -> object:
    return call("epoll_create1", 0)


def count_events() -> object:
    return call("eventfd2", 0, 0)


def a_pipe() -> object:
    return os.pipe()


def choose_memory() -> object:
    return call("set_mempolicy", 0, 0, 0)


def a_file_system_by_parts() -> object:
    return call("fsopen", b"proc", 0)


def move_a_mount() -> object:
    return call("move_mount", -100, b"/", -100, b"/fd", 0)


def change_a_mount() -> object:
    return call("mount_setattr", -100, b"/", 0, bytes(32), 32)


def a_handle_of_a_file() -> object:
    return call("name_to_handle_at", -100, b"/fd/0.parquet", struct.pack("Ii", 128, 0) + bytes(128), bytes(8), 0)


def set_the_clock() -> object:
    return call("clock_settime", 0, bytes(16))


def run_before_all_others() -> object:
    return call("sched_setscheduler", 0, 1, struct.pack("i", 1))


def order_all_processors() -> object:
    return call("membarrier", 0, 0, 0)


def requeue_a_lock() -> object:
    """The operation behind several ways into kernels."""
    return call("futex", bytes(4), 3, 0, 0, bytes(4), 0)


def lock_with_inheritance() -> object:
    return call("futex", bytes(4), 6, 0, 0, 0, 0)


def wake_by_a_shared_page() -> object:
    """Whoever waits in another jail, of another tenant, on a page of the same file: neither could leave word."""
    return call("futex", bytes(4), 1, 1, 0, 0, 0)


def wait_on_a_shared_page() -> object:
    return call("futex", bytes(4), 0, 1, 0, 0, 0)


def send_a_descriptor() -> object:
    return call("sendmsg", 0, bytes(56), 0)


def send_to_an_address() -> object:
    return call("sendto", 0, b"x", 1, 0, b"\1\0\0x", 4)


def signal_with_a_value() -> object:
    return call("rt_sigqueueinfo", os.getpid(), 0, bytes(128))
