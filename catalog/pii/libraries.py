"""The libraries that recognise: only the jail that scans sees them, no jail that answers a query."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from sandbox.isolation.runtime import Bind


@cache
def libraries() -> tuple[Bind, ...]:
    """Found, not imported: the broker runs none of them on an owner's cells."""
    found = []
    for name in ("phonenumbers", "vietnam_provinces"):
        package = find_spec(name)
        if package is None or package.origin is None:
            raise ModuleNotFoundError(f"{name} is not installed")
        found.append(Bind(str(Path(package.origin).parent), f"/site/{name}"))
    return tuple(found)
