"""An exported log: C2SP tlog-tiles in a folder, every hash computed again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from marketplace.verifier.note import Head, VerifierKey, open_checkpoint
from marketplace.verifier.receipt import LEAF_FORM, signed_by
from marketplace.verifier.refusal import Check, Refused, checked
from marketplace.verifier.strict_json import MAX_BYTES, read_file, utf8
from marketplace.verifier.tree import EMPTY_ROOT, root_of

WIDTH = 256
LEAF_BYTES = 143
ENTRIES = re.compile(rb"\x00\x8f(" + LEAF_FORM.replace(b"(", b"(?:") + rb")")
"""Each leaf behind its length in two bytes; all are of one form, and so of one length."""


class Tiles(Protocol):
    """Where the tiles and entry bundles of a log come from."""

    def stored(self, kind: str, number: int, width: int, item_bytes: int, /) -> bytes:
        """Of a level or `entries`. A partial one may be gone where a wider one is: then the first items of that.

        Raises Refused."""


class TilesInFolder:
    """As an exported log has them, below `tile/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stored(self, kind: str, number: int, width: int, item_bytes: int) -> bytes:
        """Raises Refused."""
        folder = self.folder / "tile" / kind
        path = folder / tile_path(number, width)
        if width < WIDTH and not path.exists():
            partial = folder / f"{tile_path(number, WIDTH)}.p"
            names = (each.name for each in partial.glob("*"))
            widths = sorted(int(name) for name in names if re.fullmatch("[1-9][0-9]{0,2}", name))
            wider = [tile_path(number, each) for each in (*widths, WIDTH) if each > width]
            path = next((folder / each for each in wider if (folder / each).exists()), path)
            return read_file(path, WIDTH * item_bytes)[: width * item_bytes]
        return read_file(path, WIDTH * item_bytes)


class Look(Protocol):
    """What is looked for in a log."""

    def look(self, first: int, leaves: Sequence[bytes], data: bytes, /) -> None:
        """At the next leaves, of which `first` is the index of the first, and their bundle. Raises Refused."""


@dataclass(frozen=True)
class Looked:
    """To look for in a log. `leaves`: by index, what the leaf there must be; `never`: what must be in none."""

    leaves: Mapping[int, bytes]
    never: bytes
    counter: int
    """Of the event that `never` would be the link of."""

    @cached_property
    def tiles(self) -> set[int]:
        return {index // WIDTH for index in self.leaves}

    def look(self, first: int, leaves: Sequence[bytes], data: bytes) -> None:
        """Raises Refused."""
        if self.never in data:
            raise Refused("dataset.kept_back", self.counter)
        if first // WIDTH in self.tiles:
            for index, leaf in enumerate(leaves, first):
                if self.leaves.get(index, leaf) != leaf:
                    raise Refused("dataset.leaf", index)


class Walk:
    """A log as its leaves come by. `levels`: at each level of tiles, the hashes that fill no whole tile yet."""

    def __init__(self, tiles: Tiles, wanted: Iterable[int], looked: Look | None) -> None:
        self.tiles, self.wanted, self.looked = tiles, sorted(set(wanted)), looked
        self.size = 0
        self.levels: list[list[bytes]] = [[]]
        self.roots: dict[int, bytes] = {0: EMPTY_ROOT}

    def whole(self, head: Head) -> str:
        """All leaves are there, and give the tiles and the root. Raises Refused."""
        while self.size < head.size:
            self.take(min(WIDTH, head.size - self.size))
        for level, tile in enumerate(self.levels):
            if tile:
                self._compare(level, tile)
        if self.roots[head.size] != head.root:
            raise Refused("log.root", head.size)
        return str(head.size)

    def continues(self, older: Head, head: Head) -> str:
        """The log begins with what an older head says. Raises Refused."""
        if older.size > head.size:
            raise Refused("log.short", older.size)
        if self.roots.get(older.size) != older.root:
            raise Refused("consistency.fork", f"{older.size}, {head.size}")
        return f"{older.size}, {head.size}"

    def take(self, width: int) -> None:
        """The next `width` leaves: a whole tile, or the last one. Raises Refused."""
        number = self.size // WIDTH
        name = f"entries/{tile_path(number, width)}"
        data = self.tiles.stored("entries", number, width, 2 + LEAF_BYTES)
        leaves = ENTRIES.findall(data)
        if len(leaves) != width or len(data) != width * (2 + LEAF_BYTES):
            raise Refused("log.bundle", name)
        if self.looked is not None:
            self.looked.look(self.size, leaves, data)
        sha256 = hashlib.sha256
        hashes = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
        for size in self.wanted:
            if self.size < size <= self.size + width:
                self.roots[size] = self._root(hashes[: size - self.size])
        self.size += width
        self._grow(hashes)

    def _grow(self, hashes: list[bytes]) -> None:
        """The tiles over these leaf hashes are stored as they should be."""
        self.levels[0] = hashes
        for level in range(len(self.levels)):
            tile = self.levels[level]
            if len(tile) == WIDTH:
                self._compare(level, tile)
                if level + 1 == len(self.levels):
                    self.levels.append([])
                self.levels[level + 1].append(root_of(tile))
                self.levels[level] = []

    def _compare(self, level: int, tile: Sequence[bytes]) -> None:
        number = ((self.size >> 8 * level) - 1) // WIDTH
        name = f"{level}/{tile_path(number, len(tile))}"
        stored = self.tiles.stored(str(level), number, len(tile), 32)
        if stored != b"".join(tile):
            at = next((n for n, each in enumerate(tile) if stored[32 * n : 32 * n + 32] != each), len(tile))
            first = ((self.size >> 8 * level) - len(tile) + at) << 8 * level
            raise Refused("log.tile", f"{name}, leaf {first}")

    def _root(self, bottom: list[bytes]) -> bytes:
        """Of the tree that ends with `bottom`: each level lies on what is left of the one below."""
        rest: list[bytes] = []
        for tile in (bottom, *self.levels[1:]):
            if tile or rest:
                rest = [root_of([*tile, *rest])]
        return rest[0] if rest else EMPTY_ROOT


def check_log(
    folder: Path,
    key: VerifierKey,
    *,
    seen: Sequence[bytes] = (),
    witnesses: Sequence[VerifierKey] = (),
    looked: Look | None = None,
    named: str = "checkpoint",
) -> tuple[Check, ...]:
    """Signature, and every leaf and tile of an exported log; that it continues each checkpoint of `seen`.

    `looked`: what is looked for on the way; `named`: the checkpoint's file. Raises OSError where there is none.
    """
    with (folder / named).open("rb") as file:
        note = file.read(MAX_BYTES)
    return check_tiles(TilesInFolder(folder), note, key, seen=seen, witnesses=witnesses, looked=looked)


def check_tiles(
    tiles: Tiles,
    note: bytes,
    key: VerifierKey,
    *,
    seen: Sequence[bytes] = (),
    witnesses: Sequence[VerifierKey] = (),
    looked: Look | None = None,
) -> tuple[Check, ...]:
    """The same of a log whose checkpoint is `note`, wherever its tiles are: each is asked for once, in order."""
    signed = checked("signature", lambda: signed_by(utf8(note), key, witnesses))
    if not signed.ok:
        return (signed,)
    head, older = open_checkpoint(utf8(note), key), list[Head]()

    def kept(each: bytes) -> str:
        older.append(open_checkpoint(utf8(each), key))
        return str(older[-1].size)

    keeps = [checked("seen", kept, each) for each in seen]
    walk = Walk(tiles, (head.size, *(each.size for each in older)), looked)
    whole = checked("leaves", walk.whole, head)
    if not whole.ok:
        return (signed, *keeps, whole)
    return (signed, *keeps, whole, *(checked("consistency", walk.continues, each, head) for each in older))


def tile_path(number: int, width: int) -> str:
    groups, rest = f"{number % 1000:03}", number // 1000
    while rest:
        groups, rest = f"x{rest % 1000:03}/{groups}", rest // 1000
    return groups if width == WIDTH else f"{groups}.p/{width}"
