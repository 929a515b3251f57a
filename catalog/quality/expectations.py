"""Where Great Expectations is: an environment of its own, which a jail sees and the service never imports."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

from policies.binaries import find
from sandbox.isolation.runtime import Bind, binds, loaded_libraries

PLACE = "/expectations"
"""In the jail."""
_NEEDED = "sqlite3, ssl, bz2, lzma, uuid, ctypes, decimal"
"""Modules of Python that it imports, and whose libraries no engine loads; its own come with their packages."""


@functools.cache
def expectations_binds() -> tuple[Bind, ...] | None:
    """What a jail must see for it; None without it. Found once a process."""
    found = find("great-expectations")
    if found is None:
        return None
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = found.path / "lib" / python / "site-packages"
    if not (site / "great_expectations").is_dir():  # made for another Python
        return None
    known = {bind.target for bind in binds()}
    libraries = {
        f"/lib/{Path(library).name}": str(Path(library).resolve())
        for library in loaded_libraries(_NEEDED)
        if not any(Path(library).is_relative_to(seen) for seen in (sys.prefix, sys.base_prefix))
    }
    return (
        Bind(str(site), PLACE),
        *(Bind(source, target) for target, source in libraries.items() if target not in known),
    )
