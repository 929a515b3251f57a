"""The tests of the rules notice faults in them: a part of all mutants here, all of them by `make mutants`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.gates import annotated
from tests.policies.mutants import Mutant, mutants
from tests.policies.mutation import ENOUGH, bucket, listed, try_all
from tests.policies.trial import Bench, bench, document_of

PARTS = 192
"""One of so many is tried: about ten mutants."""


@pytest.fixture(scope="module")
def every(opa: Path) -> tuple[Mutant, ...]:
    return mutants(opa)


@pytest.fixture(scope="module")
def servers(opa: Path) -> Iterator[Bench]:
    with bench(opa) as started:
        yield started


def test_what_no_test_notices_is_listed_and_the_rest_is_noticed(servers: Bench, every: tuple[Mutant, ...]) -> None:
    chosen = bucket(every, 0, PARTS)
    tried = try_all(servers, chosen)
    known = {mutant.name for mutant in chosen} & set(listed())
    assert set(tried.survived) == known
    assert tried.killed


def test_what_is_listed_is_a_mutant_and_says_why(every: tuple[Mutant, ...]) -> None:
    why = listed()
    assert set(why) <= {mutant.name for mutant in every}
    assert all(len(words) > 20 for words in why.values())
    assert len(why) <= (1 - ENOUGH) * len(every)


def test_a_gate_that_is_denied_does_not_hold_and_all_hold_where_it_is_allowed(servers: Bench) -> None:
    noted = annotated()
    gate_of = {(a.document, a.custom.code): a.custom.gate for a in noted if a.is_denial and a.custom.gate}
    for name, told in servers.decided().items():
        assert told is not None
        denied = {gate_of.get((document_of(name), code)) for code in told.denied}
        assert not denied & told.gates, name
        assert not told.allow or told.required <= told.gates, name
