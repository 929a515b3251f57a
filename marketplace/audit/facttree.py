"""One Merkle tree over the facts of a decision: the log holds its root, and each fact opens without the others.

Leaf i is the i-th fact by name, hashed with a salt that is keyed BLAKE2b(seed, name): who holds the seed opens
all, who holds a salt opens that fact and learns nothing of another (docs/verify.md).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from marketplace.audit import tree
from policies.answer import canonical
from policies.decision import Question
from policies.facts import SCALARS, facts_of

SQL = "sql"
"""The name of the fact that is no question's: what was asked of the data."""
SCHEMA = f"{SCALARS}.schema"
SEED_BYTES = 32
SALT_BYTES = 32
Size = Annotated[int, Meta(ge=0, le=10_000)]
LEAF = b"sandulieu fact/1\n"
"""Begins the data of each leaf, so that none passes for a leaf of the log."""


class Fact(Struct, frozen=True, forbid_unknown_fields=True):
    """An opened fact. `value`: its canonical JSON, as text; `salt`: hex."""

    index: int
    name: str
    value: str
    salt: str


class Opened(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an edition shows of a tree of `size` leaves: `facts`, and of each largest subtree without any its hash.

    `closed`: hex, from left to right. Together they give the root.
    """

    size: Size
    facts: tuple[Fact, ...]
    closed: tuple[str, ...]


class Head(Struct, frozen=True):
    """What the event holds of a tree. `root`: hex."""

    root: str
    size: int


class Salted(Struct, frozen=True, dict=True):
    """A tree over named values, each salted by itself.

    `values`: canonical JSON by name, in the order of the leaves; `seed`: the secret that all salts come of."""

    values: dict[str, str]
    seed: bytes

    @cached_property
    def hashes(self) -> list[bytes]:
        """Of the leaves."""
        return [_leaf(name, value, self._salt(name)) for name, value in self.values.items()]

    @cached_property
    def head(self) -> Head:
        return Head(tree.root_of(self.hashes).hex(), len(self.values))

    def opened(self, opens: Callable[[str], bool]) -> Opened:
        """With the facts whose names `opens` holds true of."""
        facts = tuple(
            Fact(index, name, value, self._salt(name).hex())
            for index, (name, value) in enumerate(self.values.items())
            if opens(name)
        )
        ranges = _ranges(0, len(self.values), {fact.index for fact in facts})
        closed = (tree.root_of(self.hashes[start:end]).hex() for start, end, is_open in ranges if not is_open)
        return Opened(size=len(self.values), facts=facts, closed=tuple(closed))

    def _salt(self, name: str) -> bytes:
        # RFC 7693 in keyed mode: a PRF as HMAC is one, in a third of the time.
        return hashlib.blake2b(name.encode(), key=self.seed, digest_size=SALT_BYTES).digest()


class FactTree(Struct, frozen=True, dict=True):
    """Over the facts of a question, which is canonical JSON, and the SQL that was asked, if it was."""

    question: bytes
    sql: str | None
    seed: bytes

    @cached_property
    def values(self) -> dict[str, str]:
        """Canonical JSON of each fact by name, in the order of the leaves."""
        values = facts_of(self.question)
        if self.sql is not None:
            values[SQL] = msgspec.json.encode(self.sql).decode()
        return dict(sorted(values.items()))

    @property
    def schema(self) -> str:
        """Which form the question has, as document/number."""
        return msgspec.json.decode(self.values.get(SCHEMA, '""'), type=str)

    @property
    def hashes(self) -> list[bytes]:
        """Of the leaves."""
        return self._salted.hashes

    @property
    def head(self) -> Head:
        return self._salted.head

    def opened(self, opens: Callable[[str], bool]) -> Opened:
        """With the facts whose names `opens` holds true of."""
        return self._salted.opened(opens)

    @cached_property
    def _salted(self) -> Salted:
        return Salted(self.values, self.seed)


def grow(question: Question, sql: str | None = None) -> FactTree:
    """The tree over what is decided upon, with a fresh seed. A question that has no JSON has no facts."""
    return FactTree(canonical(question) or b"{}", sql, secrets.token_bytes(SEED_BYTES))


def closed_whole(head: Head) -> Opened:
    """Of a tree whose facts were erased: nothing opens."""
    return Opened(size=head.size, facts=(), closed=(head.root,) if head.size else ())


def _leaf(name: str, value: str, salt: bytes) -> bytes:
    return tree.leaf_hash(b'%b%b["%b",%b]' % (LEAF, salt, name.encode(), value.encode()))


def _ranges(start: int, end: int, opened: Collection[int]) -> Iterator[tuple[int, int, bool]]:
    """The largest subtrees without an opened leaf (False), and each opened leaf by itself, from left to right."""
    if not any(start <= index < end for index in opened):
        if start < end:
            yield start, end, False
    elif end - start == 1:
        yield start, end, True
    else:
        middle = start + tree.split(end - start)
        yield from _ranges(start, middle, opened)
        yield from _ranges(middle, end, opened)
