"""A publication that goes on where a process died: from the last finished stage, on what is still whole."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.manifest import read_manifest
from catalog.pipeline import stages
from catalog.pipeline.line import Line, Order
from catalog.pipeline.record import Stage
from catalog.pipeline.run import RUN_STAGES, Pipeline
from catalog.pipeline.said import Said
from catalog.publish import digest_of, publication_of
from catalog.storage import Store
from tests.catalog.conftest import LIMITS, pseudonymise
from tests.catalog.plain import in_process
from tests.catalog.small import MANIFEST, people, write


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Stage]]:
    """Which stages were really run, in order."""
    names: list[Stage] = []

    def counted(stage: Stage) -> None:
        inner = stages.RUNS[stage]

        def outer(line: Line, room: Path) -> Said:
            names.append(stage)
            return inner(line, room)

        monkeypatch.setitem(stages.RUNS, stage, outer)

    for stage in RUN_STAGES:
        counted(stage)
    with in_process():
        yield names


def _order(tmp_path: Path, *, register: str = "", source: Path | None = None) -> Order:
    file = source or tmp_path / "rows.csv"
    return Order(
        manifest=read_manifest(MANIFEST), manifest_text=MANIFEST, source=lambda: contextlib.nullcontext(file),
        source_sha256=digest_of(file), store=Store(tmp_path / "store"), pseudonymise=pseudonymise, consents=None,
        register=register, previous=None, limits=LIMITS,
    )  # fmt: skip


def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@pytest.mark.parametrize("died_in", RUN_STAGES)
def test_who_takes_over_runs_only_what_was_not_finished(tmp_path: Path, ran: list[Stage], died_in: Stage) -> None:
    write(tmp_path / "rows.csv", people(120))
    first = Pipeline(_order(tmp_path), _folder(tmp_path), lasting=True)
    for stage in RUN_STAGES[: RUN_STAGES.index(died_in)]:
        first.run(stage)
    half = first.line.bench.cleared(died_in)
    (half / "half").write_bytes(b"not whole")
    ran.clear()
    second = Pipeline(_order(tmp_path), _folder(tmp_path), lasting=True)
    second.run_all()
    assert ran == list(RUN_STAGES[RUN_STAGES.index(died_in) :])
    assert [second.records[stage].resumed for stage in RUN_STAGES] == [stage not in ran for stage in RUN_STAGES]
    second.place()
    version = second.line.order.store.version(second.version.id)
    assert (version.persons, version.k) == (publication_of(second).version.persons, 5)
    assert version.persons + version.left_out.persons == 120


def test_what_was_changed_on_the_disk_is_made_again_and_nothing_else(tmp_path: Path, ran: list[Stage]) -> None:
    write(tmp_path / "rows.csv", people(120))
    Pipeline(_order(tmp_path), _folder(tmp_path), lasting=True).run_all()
    ran.clear()
    part = next((tmp_path / "work" / "anonymise").glob("*.parquet"))
    part.chmod(0o600)
    part.write_bytes(part.read_bytes() + b"x")
    again = Pipeline(_order(tmp_path), _folder(tmp_path), lasting=True)
    again.run_all()
    assert ran == ["anonymise", "measure", "quality", "classify", "describe"], (
        "the part is a file of the version too, so that was not whole either"
    )


def test_another_file_or_another_register_begins_where_it_matters(tmp_path: Path, ran: list[Stage]) -> None:
    write(tmp_path / "rows.csv", people(120))
    Pipeline(_order(tmp_path), _folder(tmp_path), lasting=True).run_all()
    ran.clear()
    Pipeline(_order(tmp_path, register="moved"), _folder(tmp_path), lasting=True).run_all()
    assert ran[:1] == ["anonymise"]
    ran.clear()
    write(tmp_path / "rows.csv", people(121))
    Pipeline(_order(tmp_path, register="moved"), _folder(tmp_path), lasting=True).run_all()
    assert ran[:1] == ["ingest"]


def test_while_people_look_no_persons_record_lies_open_and_all_can_be_made_again(
    tmp_path: Path, ran: list[Stage]
) -> None:
    write(tmp_path / "rows.csv", people(120))
    first = Pipeline(_order(tmp_path), _folder(tmp_path), lasting=True)
    first.run_all()
    first.shed()
    names = {path.name for path in (tmp_path / "work").rglob("*")}
    assert not names & {"persons.arrow", "intake.npz", "made.npz"}
    assert all(b"P00000" not in path.read_bytes() for path in (tmp_path / "work").rglob("*") if path.is_file())
    ran.clear()
    second = Pipeline(_order(tmp_path), _folder(tmp_path), lasting=True)
    second.run_all()
    assert ran == []
    third = Pipeline(_order(tmp_path, register="moved"), _folder(tmp_path), lasting=True)
    third.run_all()
    assert ran[:2] == ["ingest", "anonymise"]
    third.place()
    assert third.line.order.store.version(third.version.id).persons > 0


def test_a_version_half_placed_is_placed_again(tmp_path: Path, ran: list[Stage]) -> None:
    write(tmp_path / "rows.csv", people(120))
    made = Pipeline(_order(tmp_path), _folder(tmp_path), lasting=True)
    made.run_all()
    store, room = made.line.order.store, made.line.bench.room("measure")
    (room / "private").rename(store.private(made.version.id))
    made.place()
    made.place()
    assert store.version(made.version.id).id == made.version.id
