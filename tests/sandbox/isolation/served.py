"""Runs in a jail of tests: a job that asks all of the warm process that a job can, and starts in a moment."""

from __future__ import annotations

import os
from typing import BinaryIO


def run(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """The job's first file, opened by its name; what is not the job's must be refused."""
    try:
        os.open("/fd/1.parquet", os.O_RDONLY)
    except PermissionError:
        with open("/fd/0.parquet", "rb") as file:  # noqa: PTH123 (the system call)
            return file.read()
    raise AssertionError
