"""The public log from a service into a folder, of which then every hash is computed again."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from marketplace.verifier.folder import LEAF_BYTES, WIDTH, check_log, tile_path
from marketplace.verifier.note import VerifierKey, open_checkpoint
from marketplace.verifier.refusal import Check, Refused, checked, holds
from marketplace.verifier.strict_json import MAX_BYTES, utf8

BELOW = "/api/v1/audit"
TIMEOUT_S = 60
TRIES = 3
"""A log that grows takes partial tiles away, and a newer checkpoint names those that are there."""


class _Gone(Exception):
    """What was asked for is not there (any more)."""


def fetch_log(
    base: str, folder: Path, key: VerifierKey, *, witnesses: Sequence[VerifierKey] = ()
) -> tuple[Check, ...]:
    """The log that a service at `base` shows, in `folder`; one that is there must be continued. Tiles that are
    there are kept. Raises OSError."""
    kept = folder / "checkpoint"
    older = [kept.read_bytes()] if kept.exists() else []
    fetched = checked("fetched", lambda: _fetch(base.rstrip("/") + BELOW, folder, key))
    if not fetched.ok:
        return (fetched,)
    draft = folder / "checkpoint.new"
    checks = (fetched, *check_log(folder, key, seen=older, witnesses=witnesses, named=draft.name))
    if holds(checks):
        draft.replace(kept)
    return checks


def _fetch(base: str, folder: Path, key: VerifierKey) -> str:
    """Raises Refused, OSError."""
    for left in reversed(range(TRIES)):
        note = _get(f"{base}/checkpoint", MAX_BYTES)
        size = open_checkpoint(utf8(note), key).size
        try:
            asked = sum(_keep(base, folder, *each) for each in _names(size))
        except _Gone as gone:
            if left:
                continue
            raise Refused("log.missing", gone) from gone
        (folder / "checkpoint.new").write_bytes(note)
        return f"{asked} → {ascii(str(folder))[1:-1]}"
    raise AssertionError


def _names(size: int) -> Iterator[tuple[str, int]]:
    """Tiles of a log of that size, and how many bytes each has."""
    level, count = 0, size
    while count:
        for kind, item in (("entries", 2 + LEAF_BYTES), ("0", 32)) if level == 0 else ((str(level), 32),):
            for number in range(-(-count // WIDTH)):
                width = min(WIDTH, count - number * WIDTH)
                yield f"tile/{kind}/{tile_path(number, width)}", width * item
        level, count = level + 1, count // WIDTH


def _keep(base: str, folder: Path, name: str, size: int) -> bool:
    path = folder / name
    if path.exists() and path.stat().st_size == size:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(_get(f"{base}/{name}", size))
    draft.replace(path)
    return True


def _get(address: str, limit: int) -> bytes:
    if not address.startswith(("https://", "http://")):
        raise Refused("fetch.address", ascii(address)[1:-1][:200])
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:  # noqa: S310
            data: bytes = answer.read(limit + 1)
    except urllib.error.HTTPError as refused:
        if refused.code == 404:
            raise _Gone(address.rpartition(BELOW)[2]) from refused
        raise Refused("fetch.away", f"{ascii(address)[1:-1][:200]}: {refused.code}") from refused
    except (OSError, ValueError) as away:
        raise Refused("fetch.away", ascii(address)[1:-1][:200]) from away
    if len(data) > limit:
        raise Refused("form.size", limit)
    return data
