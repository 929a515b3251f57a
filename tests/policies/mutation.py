"""`make mutants`: which mutants of the rules the Rego's own tests and the cases do not notice.

A mutant replaces its file on the servers of `trial`, which say whether they then answer otherwise.
"""

from __future__ import annotations

import hashlib
import itertools
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from policies.binaries import find
from tests.policies.mutants import Mutant, mutants
from tests.policies.trial import Bench, bench

ENOUGH = 0.95
"""Of the mutants that compile, this share has to be noticed."""
SURVIVORS = Path(__file__).with_name("survivors.json")


class Survivor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mutant that nothing notices, and why that is right."""

    mutant: str
    why: str


class Tried(Struct, frozen=True, kw_only=True):
    """`unfit`: what does not compile, which is no mutant."""

    killed: tuple[str, ...]
    survived: tuple[str, ...]
    unfit: tuple[str, ...]

    @property
    def share(self) -> float:
        """Killed of those that compile."""
        return len(self.killed) / max(1, len(self.killed) + len(self.survived))


def listed() -> dict[str, str]:
    """Why, by mutant."""
    return {each.mutant: each.why for each in msgspec.json.decode(SURVIVORS.read_bytes(), type=list[Survivor])}


def try_all(servers: Bench, chosen: Sequence[Mutant]) -> Tried:
    """Each in turn; after that the servers have the sound rules again."""
    told: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    for file, mutants_of_it in itertools.groupby(chosen, key=lambda mutant: mutant.file):
        for mutant in mutants_of_it:
            told[servers.tries(mutant)].append(mutant.name)
        servers.mends(file)
    assert servers.is_sound()
    return Tried(killed=tuple(told[True]), survived=tuple(told[False]), unfit=tuple(told[None]))


def bucket(chosen: Sequence[Mutant], number: int, of: int) -> list[Mutant]:
    """One of `of` parts of about the same size. A mutant stays in its part whatever changes elsewhere."""
    return [m for m in chosen if int.from_bytes(hashlib.sha256(m.name.encode()).digest()[:8]) % of == number]


def main(arguments: list[str]) -> int:
    """0 when enough are killed and just those survive that are listed, else 1. `NUMBER OF`: a part of all."""
    found = find("opa")
    if found is None:
        print("no OPA: python tools/fetch.py opa", file=sys.stderr)
        return 1
    began = time.monotonic()
    every = mutants(found.path)
    chosen = bucket(every, int(arguments[0]), int(arguments[1])) if arguments else every
    with bench(found.path) as servers:
        tried = try_all(servers, chosen)
    print(f"{len(tried.killed)} killed, {len(tried.survived)} survived: {tried.share:.1%}", end="; ")
    print(f"{len(tried.unfit)} do not compile; {time.monotonic() - began:.0f} s")
    known = set(listed()) & {mutant.name for mutant in chosen}
    for name in sorted(set(tried.survived) ^ known):
        print(f"{'not noticed' if name in tried.survived else 'noticed now, listed'}: {name}")
    return 0 if set(tried.survived) == known and (arguments or tried.share >= ENOUGH) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
