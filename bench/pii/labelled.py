"""What a generator of columns makes, and how detection is scored against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

KINDS = (
    "citizen_id", "old_citizen_id", "phone", "tax_code", "social_insurance", "plate", "passport", "bank_card", "email",
    "person_name", "address", "birth_date", "coordinates",
)  # fmt: skip
"""Those that are scored; areas and free text are told besides."""


class Labelled(Struct, frozen=True, kw_only=True):
    """A column with the truth about each cell: the kinds in it (blank and harmless cells: none)."""

    header: str
    cells: list[str]
    truth: list[frozenset[str]]
    note: str = ""


class Said(Struct, frozen=True, kw_only=True):
    """What a detector says of a column, and of each of its cells."""

    column: frozenset[str]
    cells: Sequence[frozenset[str]]


Detector = Callable[[Labelled], Said]


class Score(Struct):
    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0


class Scores(Struct):
    """By kind; `errors`: of columns, with their note, to be looked at."""

    columns: dict[str, Score]
    cells: dict[str, Score]
    errors: Counter[tuple[str, str, str]]


def score(columns: Iterable[Labelled], detect: Detector) -> Scores:
    """Recall and precision a kind, over columns and over cells."""
    scores = Scores({k: Score() for k in KINDS}, {k: Score() for k in KINDS}, Counter())
    for column in columns:
        said = detect(column)
        truth = frozenset().union(*column.truth)
        for kind in KINDS:
            if _count(scores.columns[kind], kind in truth, kind in said.column):
                scores.errors[kind, "missed" if kind in truth else "wrong", f"{column.note}: {column.header}"] += 1
        for true, told in zip(column.truth, said.cells, strict=True):
            for kind in true | told:
                if kind in scores.cells:
                    _count(scores.cells[kind], kind in true, kind in told)
    return scores


def _count(into: Score, true: bool, told: bool) -> bool:
    """Whether it was an error."""
    into.right += true and told
    into.wrong += told and not true
    into.missed += true and not told
    return true != told
