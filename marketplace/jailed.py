"""What catalog and its jails refuse, as a problem that a caller may see: the same wherever a file is read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from catalog.errors import PublicationRefused, code_of
from marketplace.errors import Problem, Unavailable
from sandbox.job import SandboxFailed


class FileUnfit(Problem):
    """A file that was not taken; the code is catalog's or the sandbox's own, with its params."""

    status = 422

    def __init__(self, code: str, **params: Any) -> None:
        self.code = code  # type: ignore[misc]
        super().__init__(**params)


@contextlib.contextmanager
def told_as(unfit: type[FileUnfit]) -> Iterator[None]:
    """Raises `unfit` for what catalog or a jail refuses, Unavailable where there is no jail."""
    try:
        yield
    except PublicationRefused as refused:
        raise unfit(refused.code, **refused.params) from refused
    except SandboxFailed as failed:
        if failed.code == "sandbox.unavailable":
            raise Unavailable(reason=failed.code) from failed
        raise unfit(code_of(failed), **failed.params) from failed
