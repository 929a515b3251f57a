"""A policy that does not decide yet: built from a folder of rules and data, to be tried on what was decided."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from policies.build import wasm
from policies.kept import KeptPolicy
from policies.module import BUILT, WASM, Built
from policies.sources import data_files, revision_of, rules


@contextlib.contextmanager
def built(opa: Path, source: Path) -> Iterator[KeptPolicy]:
    """The policy that `source` makes with this OPA; nothing is written there. Raises BuildFailed."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for file in (*rules(source), *data_files(source)):
            place = here / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
        module = wasm(opa, here)
        stamp = Built(revision=revision_of(here), sha256=hashlib.sha256(module).hexdigest())
        (here / WASM).write_bytes(module)
        (here / BUILT).write_bytes(msgspec.json.encode(stamp))
        yield KeptPolicy(here)
