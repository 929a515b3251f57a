"""An analyst who solves equations: no answers, whatever views they are of, add up to fewer than k persons."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from catalog.publish import Publication
from catalog.storage import Store
from sandbox.job import Column, TableSchema
from sandbox.plan.plan import plan_query
from sandbox.plan.render import render
from tests.catalog.conftest import pseudonymise
from tests.catalog.small import AGGREGATE_MANIFEST, people, publish_rows

PERSONS = people(300)
PLACES = ("Huế", "Hà Nội", "Cần Thơ")
SMALL = TableSchema(
    name="small",
    mode="aggregate",
    columns=(Column(name="place", type="VARCHAR"), Column(name="visits", type="BIGINT", kind="measure")),
)
Numbers = NDArray[Any]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Publication]:
    folder = tmp_path_factory.mktemp("linear")
    store = Store(folder / "store")
    return store, publish_rows(store, folder, PERSONS, manifest=AGGREGATE_MANIFEST)


# A purpose (or none), the persons who have withdrawn by then, and a filter.
questions = st.lists(
    st.tuples(
        st.sampled_from([None, "research.academic", "product.rnd"]),
        st.lists(st.integers(0, len(PERSONS) - 1), max_size=3),
        st.lists(st.sampled_from(PLACES), unique=True, min_size=1),
    ),
    min_size=4,
    max_size=24,
)


def _answered(
    released: tuple[Store, Publication], cohorts: Numbers, asked: tuple[str | None, list[int], list[str]]
) -> tuple[Numbers, tuple[int, int, float]]:
    """Whom the question is about, as only we can know, and what the analyst is told."""
    store, made = released
    purpose, withdrawn, places = asked
    excluded = frozenset(int(cohorts[i]) for i in withdrawn)
    revision = store.revision(made.version.id, purpose=purpose, excluded=excluded, number=len(excluded))
    names = ", ".join(f"'{place}'" for place in places)
    plan = plan_query(f"SELECT count(*), count(visits), sum(visits) FROM small WHERE place IN ({names})", [SMALL])
    with duckdb.connect() as connection:
        (told,) = connection.execute(render(plan, {"small": revision.parts})).fetchall()
    about = np.array([
        row[1] in places and cohorts[i] not in excluded and (purpose != "product.rnd" or row[5] == "có")
        for i, row in enumerate(PERSONS)
    ])  # fmt: skip
    return about, (told[0], told[1], told[2] or 0.0)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=questions)
def test_least_squares_over_any_answers_pins_nobody(released: tuple[Store, Publication], asked: Any) -> None:
    store, made = released
    found = [store.cohort_of(made.version.id, p) for p in pseudonymise([row[0] for row in PERSONS])]
    assert None not in found
    cohorts = np.array(found)
    answers = [_answered(released, cohorts, one) for one in asked]
    equations = np.array([about for about, _ in answers], dtype=float)
    assert [int(row.sum()) for row in equations] == [told[0] for _, told in answers]
    solve = np.linalg.pinv(equations)
    for target in (int(np.flatnonzero(cohorts == c)[0]) for c in {int(c) for c in cohorts}):
        fewer = np.flatnonzero(cohorts == cohorts[target])[: made.version.k - 1]
        wanted = np.zeros(len(PERSONS))
        wanted[fewer] = 1.0
        # The nearest that any sum and difference of the answers comes to these persons alone.
        nearest = wanted @ solve @ equations
        assert np.linalg.norm(nearest - wanted) > 0.1
        assert np.ptp(nearest[cohorts == cohorts[target]]) < 1e-6


def test_what_is_told_of_a_measure_is_of_whole_cohorts_and_of_k_who_contribute(
    released: tuple[Store, Publication],
) -> None:
    store, made = released
    found = [store.cohort_of(made.version.id, p) for p in pseudonymise([row[0] for row in PERSONS])]
    assert None not in found
    cohorts = np.array(found)
    seen: set[tuple[int, float]] = set()
    for person in range(0, len(PERSONS), 20):
        _, whole = _answered(released, cohorts, (None, [], list(PLACES)))
        _, without = _answered(released, cohorts, (None, [person], list(PLACES)))
        count, total = whole[1] - without[1], whole[2] - without[2]
        assert count == 0 or count >= made.version.k
        own = [float(PERSONS[i][3]) for i in np.flatnonzero(cohorts == cohorts[person])]
        # Withheld (one dominates): nothing of it shows in any difference. Else all of it.
        assert (count, total) == ((0, 0.0) if max(own) > sum(own) / 2 else (len(own), sum(own)))
        seen.add((count, total))
    assert len(seen) > 3
