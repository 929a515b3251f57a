"""The jails that make and measure a version lie, and their files fit the lie: the broker puts nothing in place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import PublicationRefused
from catalog.storage import Store
from sandbox.isolation.oneshot import run_once
from tests.attack.attacks import lying
from tests.attack.conftest import ATTACKS, require_layers
from tests.catalog.plain import in_process
from tests.catalog.small import AGGREGATE_MANIFEST, MANIFEST, ROW_MANIFEST, Row, people, publish_rows

MAKE, MEASURE = "catalog.jailed.anonymise:main", "catalog.jailed.measure:main"
PEOPLE = people(54)
"""Six classes of nine: a cohort each."""
Change = Callable[[list[Row]], list[Row]]


def nobody(rows: list[Row]) -> list[Row]:
    return rows


def one_left(rows: list[Row]) -> list[Row]:
    return rows[1:]


def one_changed(rows: list[Row]) -> list[Row]:
    return [[*rows[0][:2], "lao" if rows[0][2] != "lao" else "cúm", "9", *rows[0][4:]], *rows[1:]]


def one_came(rows: list[Row]) -> list[Row]:
    return [*rows, *came(["cúm"])]


def came(illnesses: list[str], visits: str = "1") -> list[Row]:
    return [[f"N{i:05d}", "Huế", illness, visits, "có", "có"] for i, illness in enumerate(illnesses)]


def two_came(rows: list[Row]) -> list[Row]:
    return [*rows, *came(["cúm", "sởi"])]


def five_alike_came(rows: list[Row]) -> list[Row]:
    return [*rows, *came(["cúm"] * 5)]


def one_came_with_a_value_of_its_own(rows: list[Row]) -> list[Row]:
    return [*rows, *came(["hủi", "sởi", "cúm", "sởi", "cúm"])]


def one_moved_to_where_others_came(rows: list[Row]) -> list[Row]:
    key, _, *rest = rows[1]
    return [rows[0], [key, "Huế", *rest], *rows[2:], *came(["gan"] * 5)]


def five_came_without_visits(rows: list[Row]) -> list[Row]:
    return [*rows, *came(["cúm", "sởi"]), *came(["cúm", "sởi", "lao", "cúm", "lao"], visits="")[2:]]


LIES: list[tuple[str, Change, str, str]] = [
    ("carry_the_rest", one_left, "carried", MANIFEST),
    ("carry_the_rest", one_changed, "carried", AGGREGATE_MANIFEST),
    ("see_no_change", one_changed, "lives", MANIFEST),
    ("see_no_change", one_changed, "lives", AGGREGATE_MANIFEST),
    ("forget_the_past", one_left, "lives", MANIFEST),
    ("forget_the_past", one_left, "lives", ROW_MANIFEST),
    ("form_small_cohorts", two_came, "k", MANIFEST),
    ("form_small_cohorts", two_came, "k", ROW_MANIFEST),
    ("form_plain_cohorts", five_alike_came, "l", AGGREGATE_MANIFEST),
    ("show_rare_values", one_came_with_a_value_of_its_own, "rare", MANIFEST),
    ("take_newcomers_in", one_came, "carried", MANIFEST),
    ("give_movers_away", one_moved_to_where_others_came, "candidates", MANIFEST),
    ("return_too_soon", one_left, "returned", AGGREGATE_MANIFEST),
    ("show_every_sum", five_came_without_visits, "contributors", AGGREGATE_MANIFEST),
    ("stand_below_the_first_level", five_came_without_visits, "level", MANIFEST),
    ("stand_above_the_last_level", five_came_without_visits, "level", AGGREGATE_MANIFEST),
    ("name_pairs_of_no_column", nobody, "pairs", MANIFEST),
    ("write_another_class", nobody, "class", MANIFEST),
    ("write_another_value", nobody, "values", MANIFEST),
    ("write_another_value", nobody, "measures", AGGREGATE_MANIFEST),
    ("write_in_the_last_digits", nobody, "measures", AGGREGATE_MANIFEST),
]


@pytest.mark.parametrize(("lie", "change", "promise", "manifest"), LIES)
def test_a_lie_that_fits_the_files_is_found_and_nothing_is_put_in_place(
    tmp_path: Path, lie: str, change: Change, promise: str, manifest: str
) -> None:
    """Both jails lie."""
    release = partial(publish_rows, Store(tmp_path / "s"), tmp_path, manifest=manifest)
    with in_process():
        first = release(PEOPLE)
        release(change(PEOPLE), previous=first.version.id)
    there = sorted((tmp_path / "s").rglob("*"))
    entry = f"{lying.__name__}:{{}}"
    instead = {MAKE: entry.format(lie), MEASURE: entry.format("agree")}
    with in_process(instead), pytest.raises(PublicationRefused) as refused:
        release(change(PEOPLE), previous=first.version.id)
    assert (refused.value.code, refused.value.params) == ("publication.promise_broken", {"promise": promise})
    assert sorted((tmp_path / "s").rglob("*")) == there


def test_a_child_that_lies_in_its_jail_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_layers()
    store = Store(tmp_path / "s")
    with in_process():
        first = publish_rows(store, tmp_path, PEOPLE)
    with in_process({MEASURE: f"{lying.__name__}:agree"}) as played:

        def run(entry: str, *more: Any, **options: Any) -> Any:
            if entry == MEASURE:
                return played(entry, *more, **options)
            return run_once("attacks.lying:carry_the_rest", *more, **options, extra=(ATTACKS,))

        monkeypatch.setattr("catalog.making.run_once", run)
        with pytest.raises(PublicationRefused) as refused:
            publish_rows(store, tmp_path, one_left(PEOPLE), previous=first.version.id)
    assert (refused.value.code, refused.value.params) == ("publication.promise_broken", {"promise": "carried"})
