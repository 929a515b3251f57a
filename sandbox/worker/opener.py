"""Answers the `openat` calls of a child with a descriptor of its job's own files, or EACCES; opens nothing."""

from __future__ import annotations

import contextlib
import errno
import os
import re

from sandbox.worker.syscalls import OpenRequest

_SOURCE = re.compile(rb"/fd/([0-9]{1,4})\.[a-z.]{1,16}")

SAMPLE = "/fd/sample.parquet"
"""A file of constants that a child may read before its job comes."""
_NAMES = {"parquet": 1_024, "csv": 16}


def write_names() -> None:
    """Empty files under the names that can be opened: engines ask whether a file is there before they open it."""
    for extension, count in _NAMES.items():
        for i in range(count):
            os.close(os.open(f"/fd/{i}.{extension}", os.O_CREAT | os.O_WRONLY, 0o400))


def answer(listener: int, files: list[int], sample: int | None) -> None:
    """Answer one waiting call. What goes wrong with it is the child's matter: it may be dead, or hostile."""
    with contextlib.suppress(OSError):
        request = OpenRequest(listener)
        chosen = _choose(request, files, sample)
        if chosen is None:
            request.refuse(errno.EACCES)
            return
        # The copy shares its position with the original: it begins at the start, as an opened file does.
        os.lseek(chosen, 0, os.SEEK_SET)
        try:
            request.give(chosen)
        except OSError as error:
            # No room in its table: the call still waits, and would until the deadline.
            request.refuse(error.errno or errno.EACCES)


def _choose(request: OpenRequest, files: list[int], sample: int | None) -> int | None:
    # The child may change the path once it was read here, but nothing is opened by it: it only chooses one of this
    # job's descriptors, so no race gives more than another path would.
    if request.flags & (os.O_ACCMODE | os.O_CREAT | os.O_TRUNC):
        return None
    path = request.path()
    if path == SAMPLE.encode():
        return sample
    match = _SOURCE.fullmatch(path)
    if match is None or int(match[1]) >= len(files):
        return None
    return files[int(match[1])]
