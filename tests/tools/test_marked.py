"""What is kept of a module for coverage is what slipcover would count, and is made anew when the file changes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from slipcover import Slipcover

from tools.marked import mark_all, marked

SOURCE = """
def larger(one: int, other: int) -> int:
    '''Of two.'''
    for each in (one, other):
        if each > 3:
            return each
    return 3
"""


@pytest.fixture(autouse=True)
def writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says of compiled code."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def _by_slipcover(file: Path) -> tuple[list[int], list[tuple[int, int]]]:
    told = Slipcover(branch=True, source=[str(file.parent)]).get_coverage()["files"][str(file)]
    return told["missing_lines"], told["missing_branches"]


def _told(file: Path) -> tuple[list[int], list[tuple[int, int]]]:
    found = marked(file)
    return sorted(found.lines), sorted(found.branches)


def test_lines_and_branches_are_those_that_slipcover_counts_kept_or_not(tmp_path: Path) -> None:
    files = [tmp_path / "one.py", tmp_path / "other.py"]
    for file in files:
        file.write_text(SOURCE)
    mark_all(files)
    kept = {place.name: place.read_bytes() for place in (tmp_path / "__pycache__").iterdir()}
    assert len(kept) == len(files)
    assert [_told(file) for file in files] == [_by_slipcover(file) for file in files]
    assert all(place.read_bytes() == kept[place.name] for place in (tmp_path / "__pycache__").iterdir())


def test_a_changed_moved_or_half_written_one_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "one.py"
    file.write_text(SOURCE)
    before = _told(file)
    file.write_text("\n" + SOURCE)
    os.utime(file, (1, 1))  # older than what was kept, as a file out of an archive is
    assert _told(file) == _by_slipcover(file) != before

    (place,) = (tmp_path / "__pycache__").iterdir()
    place.write_bytes(place.read_bytes()[:100])
    assert _told(file) == _by_slipcover(file)

    moved = tmp_path.rename(tmp_path.with_name("moved")) / "one.py"
    assert marked(moved).code.co_filename == str(moved)
