"""Attacks on files: reading what is not the job's, writing anything."""

# An attack names the system call that it tries.
# ruff: noqa: PTH101, PTH102, PTH104, PTH108, PTH208, PTH211

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import sys

from .raw import call

INPUTS: list[int] = []
"""Descriptors of the job's own files; the entry fills it."""


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 16)
    finally:
        os.close(descriptor)


def passwords() -> object:
    return _read("/etc/passwd")


def interpreter() -> object:
    return _read("/py/bin/python3.11")


def standard_library() -> object:
    return _read(os.__file__)


def own_source() -> object:
    return _read(__file__)


def own_memory_map() -> object:
    return _read("/proc/self/maps")


def environment_of_the_parent() -> object:
    return _read("/proc/1/environ")


def null_device() -> object:
    return _read("/dev/null")


def host_through_up_and_up() -> object:
    return _read("/fd/../../../../etc/hostname")


def files_of_another_job() -> object:
    return _read("/fd/1.parquet")


def name_with_a_long_number() -> object:
    return _read("/fd/00000000000.parquet")


def name_in_the_last_byte_of_memory() -> object:
    return call("openat", -100, -1, os.O_RDONLY)


def own_file_without_room_for_it() -> object:
    """The kernel tells the supervisor, not the child, that there is no number left for what it gives."""
    taken = []
    try:
        while True:
            taken.append(fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 3))
    except OSError:
        try:
            return os.open("/fd/0.parquet", os.O_RDONLY)
        finally:
            for descriptor in taken:
                os.close(descriptor)


def name_nowhere() -> object:
    return call("openat", -100, 0, os.O_RDONLY)


def own_file_for_writing() -> object:
    return os.open("/fd/0.parquet", os.O_RDWR)


def own_file_cut_at_opening() -> object:
    return os.open("/fd/0.parquet", os.O_RDONLY | os.O_TRUNC)


def newer_open() -> object:
    return call("openat2", -100, b"/fd/0.parquet", struct.pack("QQQ", 0, 0, 0), 24)


def write_a_new_file() -> object:
    return os.open("/fd/new", os.O_CREAT | os.O_WRONLY)


def write_an_unnamed_file() -> object:
    return os.open("/fd", os.O_TMPFILE | os.O_RDWR)


def make_a_folder() -> None:
    os.mkdir("/fd/folder")


def make_a_device() -> None:
    os.mknod("/fd/device", 0o020600, os.makedev(1, 3))


def make_a_pipe() -> None:
    os.mkfifo("/fd/pipe")


def make_a_symbolic_link() -> None:
    os.symlink("/etc/passwd", "/fd/link")


def make_a_hard_link() -> None:
    os.link("/fd/0.parquet", "/fd/hard")


def rename_a_file() -> None:
    os.rename("/fd/0.parquet", "/fd/moved")


def remove_a_file() -> None:
    os.unlink("/fd/0.parquet")


def change_a_mode() -> None:
    os.chmod("/fd/0.parquet", 0o777)


def cut_a_file() -> None:
    os.truncate("/fd/0.parquet", 0)


def list_a_folder() -> object:
    return os.listdir("/")


def change_folder() -> None:
    os.chdir("/py")


def write_to_an_input() -> object:
    return os.write(INPUTS[0], b"x")


def cut_an_input() -> None:
    os.ftruncate(INPUTS[0], 0)


def map_an_input_for_writing() -> object:
    return mmap.mmap(INPUTS[0], 8, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)


def change_mode_of_an_input() -> None:
    os.fchmod(INPUTS[0], 0o777)


def attributes_of_an_input() -> None:
    os.setxattr(INPUTS[0], "user.attack", b"x")


def lock_an_input() -> None:
    fcntl.flock(INPUTS[0], fcntl.LOCK_EX)


def lease_an_input() -> object:
    return fcntl.fcntl(INPUTS[0], fcntl.F_SETLEASE, fcntl.F_RDLCK)


def import_a_module() -> object:
    sys.modules.pop("wave", None)
    try:
        import wave
    except ImportError as error:
        raise PermissionError(1, "import") from error
    return wave
