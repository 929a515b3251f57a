"""Homes with a PostgreSQL of their own, for as long as somebody of the tests is there."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from marketplace.db import embedded

_AFTER_US = """
cat >/dev/null
[ -d "$1" ] || exit
pid=$(head -n 1 "$1/postgres/data/postmaster.pid") && kill -QUIT "$pid" && sleep 1
rm -rf "$1"
"""
"""Waits for our end of the pipe to close: at a kill nobody else is left who would stop the server."""


@contextmanager
def own_home() -> Iterator[Path]:
    """A home with a short name, as sockets need; its server and its files go with us, even if we are killed."""
    home = Path(tempfile.mkdtemp(prefix="sdl-"))
    command = ["sh", "-c", _AFTER_US, "after-tests", str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True):
        try:
            yield home
        finally:
            embedded.stop(home)
            shutil.rmtree(home, ignore_errors=True)
