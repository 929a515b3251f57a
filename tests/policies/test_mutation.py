"""The tests of the rules notice faults in them: a part of all mutants here, all of them by `make mutants`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.gates import annotated
from policies.sources import FOLDER, data_files, rules
from tests.policies.conftest import running
from tests.policies.mutants import Mutant, mutants
from tests.policies.mutation import Bench, bucket, listed, try_all

PARTS = 192
"""One of so many is tried: about ten mutants."""
ENOUGH = 0.95


@pytest.fixture(scope="module")
def every(opa: Path) -> tuple[Mutant, ...]:
    return mutants(opa)


@pytest.fixture(scope="module")
def bench(opa: Path) -> Iterator[Bench]:
    tests = sorted(FOLDER.glob("*/*_test.rego"))
    with running(opa, *rules(), *tests, *data_files(), ready="/health") as server:
        yield Bench(server.url, tests)


def test_what_no_test_notices_is_listed_and_the_rest_is_noticed(opa: Path, every: tuple[Mutant, ...]) -> None:
    chosen = bucket(every, 0, PARTS)
    tried = try_all(opa, chosen)
    known = {mutant.name for mutant in chosen} & set(listed())
    assert set(tried.survived) == known
    assert tried.killed


def test_what_is_listed_is_a_mutant_and_says_why(every: tuple[Mutant, ...]) -> None:
    why = listed()
    assert set(why) <= {mutant.name for mutant in every}
    assert all(len(words) > 20 for words in why.values())
    assert len(why) <= (1 - ENOUGH) * len(every)


def test_a_gate_that_is_denied_does_not_hold_and_all_hold_where_it_is_allowed(bench: Bench) -> None:
    noted = annotated()
    gate_of = {(a.document, a.custom.code): a.custom.gate for a in noted if a.is_denial and a.custom.gate}
    for name, told in bench.decided().items():
        assert told is not None
        denied = {gate_of.get((told.document, code)) for code in told.denied}
        assert not denied & told.gates, name
        assert not told.allow or told.required <= told.gates, name
