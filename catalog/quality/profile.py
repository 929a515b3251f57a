"""Has persons counted by bins, in a jail that sees nothing but the one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from catalog.asking import ask_of_files
from catalog.errors import PublicationRefused
from catalog.limits import IngestLimits
from catalog.manifest import Manifest
from catalog.quality.columns import checked_columns
from catalog.quality.wire import CheckedColumn, Profile, ProfileOrder
from catalog.version import Version


def profile(files: Sequence[Path], version: Version, *, limits: IngestLimits) -> Profile | None:
    """Of the columns that describe persons; None in dp mode, where each look costs privacy. Blocking.

    Raises PublicationRefused if the files cannot be read, SandboxFailed.
    """
    if version.mode == "dp":
        return None
    aggregate = version.mode == "aggregate"
    columns = tuple(
        CheckedColumn(name=c.name, type=c.type)
        for c in version.columns
        if not aggregate or c.role == "quasi-identifier"
    )
    order = ProfileOrder(
        columns=columns, weight="n" if aggregate else "", floor=version.k, source="parquet",
        threads=limits.threads, memory_bytes=limits.memory_bytes,
    )  # fmt: skip
    return _count(files, order, limits)


def profile_source(manifest: Manifest, persons: Path, *, limits: IngestLimits) -> Profile:
    """Of persons as the file tells of them, for their owner: bins of fewer than k are put together. Blocking.

    Raises PublicationRefused if the file cannot be read, SandboxFailed.
    """
    order = ProfileOrder(
        columns=checked_columns(manifest), weight="", floor=manifest.k, source="arrow", threads=limits.threads,
        memory_bytes=limits.memory_bytes,
    )  # fmt: skip
    return _count([persons], order, limits)


def _count(files: Sequence[Path], order: ProfileOrder, limits: IngestLimits) -> Profile:
    counted = ask_of_files("catalog.jailed.binning:main", order, files, Profile, limits)
    if counted.fault or [c.name for c in counted.columns] != [c.name for c in order.columns]:
        raise PublicationRefused("quality.unreadable")
    return counted
