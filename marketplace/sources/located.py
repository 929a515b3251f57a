"""Where an owner's rows are, as a file or folder that can be read: fetched first where they are elsewhere."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.limits import IngestLimits
from marketplace.sources.description import Postgres, read_description
from marketplace.sources.postgres import fetch_postgres
from marketplace.sources.s3 import fetch_s3


@contextmanager
def located(path: Path, *, deadline_ms: int) -> Iterator[Path]:
    """The path itself, or, of a .toml, a private copy of what it describes that is gone afterwards. Blocking.

    Raises the Problems of `marketplace.sources.errors`.
    """
    if path.suffix != ".toml":
        yield path
        return
    described, max_bytes = read_description(path), IngestLimits().max_bytes
    with tempfile.TemporaryDirectory(prefix="sandulieu-source-") as name:
        folder = Path(name) / "rows"
        folder.mkdir(mode=0o700)
        if isinstance(described, Postgres):
            fetch_postgres(described, folder / "rows.csv", deadline_ms=deadline_ms, max_bytes=max_bytes)
        else:
            fetch_s3(described, folder, max_bytes=max_bytes)
        yield folder
