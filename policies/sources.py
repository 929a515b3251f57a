"""The policy's sources, and the revision that names them: what decided is always known by its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).parent
ENTRYPOINTS = ("access/decision", "agreement/decision", "listing/decision")
"""One a document; the engine picks it by the question's type."""
REVISION_DIGITS = 16


def rules(folder: Path | None = None) -> tuple[Path, ...]:
    """Rego files that decide, without their tests, by name; of these sources, or of those in another folder."""
    return tuple(p for p in sorted((folder or FOLDER).rglob("*.rego")) if not p.name.endswith("_test.rego"))


def packages() -> tuple[str, ...]:
    """Folders of the Rego, by name: one a package."""
    return tuple(sorted({path.relative_to(FOLDER).parts[0] for path in rules()}))


def data_files(folder: Path | None = None) -> tuple[Path, ...]:
    """Limits, purposes, legal bases, facts and law, by name."""
    return tuple(sorted(((folder or FOLDER) / "data").glob("*.json")))


def data(folder: Path | None = None) -> dict[str, Any]:
    """The policy's `data` document: the files' objects side by side."""
    merged: dict[str, Any] = {}
    for path in data_files(folder):
        merged.update(msgspec.json.decode(path.read_bytes(), type=dict[str, Any]))
    return merged


def revision() -> str:
    """The revision of these sources."""
    return revision_of(FOLDER)


def revision_of(folder: Path) -> str:
    """First hexadecimal digits of the SHA-256 over the name and content of every source in the folder."""
    digest = hashlib.sha256()
    for name, content in _named(folder):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:REVISION_DIGITS]


def _named(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in (*rules(folder), *data_files(folder)):
        yield path.relative_to(folder).as_posix(), path.read_bytes()
