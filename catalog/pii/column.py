"""One column judged: by its name, by the form of its cells, and by what stands within them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from catalog.pii import digits, words_in
from catalog.pii.contacts import could_be_phone
from catalog.pii.folding import as_seen
from catalog.pii.forms import NEW_PASSPORT, PASSPORT_LETTERS, Form, forms
from catalog.pii.header_words import CODED
from catalog.pii.headers import Hint, hint
from catalog.pii.kinds import Kind
from catalog.pii.names import strength
from catalog.pii.within import inside
from catalog.pii.wrapped import core, pieces, says_nothing, unwrapped

_EMBEDDED_WORDS = 3
_MOST_SIGNS = 4_000
"""Of a cell that are looked at: a book in one cell costs no more than a page."""
_SURE = 0.9
_SEVERAL = re.compile(r"[;|\n/]|\d{6}\s*(?:,|[-–])\s+\d|\d{6}\s+(?:,|[-–])\s*\d|\d{8},\d{8}")
"""Numbers beside one another."""
_TOLD_BY_THEMSELVES: Final[frozenset[Kind]] = frozenset({
    "email", "phone", "citizen_id", "bank_card", "passport", "tax_code", "social_insurance", "old_citizen_id",
})  # fmt: skip
"""Within a text: by a form that little else has, or by a word that says them."""
_TOLD_BY_HEADERS: Final[frozenset[Kind]] = CODED | {"birth_date"}
_HEAD = re.compile(r"[,;|\n]| [-–] ")
_SPOKEN: Final[frozenset[Kind]] = frozenset({"person_name", "address", "area"})
_HOLDS_MORE = re.compile(r"@|[^\W\d_]:\s|\d{7}|(?:\d{2,4}[ .-]){2}\d{2,4}|\d[/.-]\d{1,2}[/.-]\d{4}")
"""Of a cell that is a name or an address as a whole: a number of some other kind beside it."""

_WITHIN_OTHERS: Final[frozenset[Kind]] = _TOLD_BY_THEMSELVES - {"email"}
_OTHER_PAPERS: Final[tuple[tuple[Kind, Callable[[str], bool]], ...]] = (
    ("old_citizen_id", digits.is_old_citizen_id), ("passport", digits.is_passport),
)  # fmt: skip
"""What else identifies a person in a column of identity papers: an older card, a foreigner's passport."""


class Judged(Struct, frozen=True, kw_only=True):
    """`confidence`: of each kind that was found, 0 to 1; `cells`: for each cell the kinds in it, whole or within;
    `half`: one of a pair of coordinates, if it is that."""

    confidence: dict[Kind, float]
    cells: tuple[frozenset[Kind], ...]
    half: words_in.Half | None = None


def judge(header: str, cells: Sequence[str], *, year: int) -> Judged:
    """`cells` as they stand in the file, blank ones too; `year`: the present one."""
    column = _Column(header, [unwrapped(as_seen(cell[:_MOST_SIGNS]).strip()) for cell in cells], year)
    column.numbers()
    column.words()
    column.persons_at()
    column.embedded()
    return column.judged()


class _Column:
    """What is known so far: an accepted kind with its confidence, and the kinds of each cell."""

    def __init__(self, header: str, cells: list[str], year: int) -> None:
        self.header, self.cells, self.year = header, cells, year
        self.filled = [place for place, cell in enumerate(cells) if cell and not says_nothing(cell)]
        self.short = [place for place in self.filled if len(cells[place]) < 100]
        self.parted = {place: several for place in self.short if len(several := pieces(cells[place])) > 1}
        self.cored: dict[int, str] = {}
        """Of cells of which only a part is the number: that part."""
        self.kinds: list[set[Kind]] = [set() for _ in cells]
        self.confidence: dict[Kind, float] = {}
        self.half: words_in.Half | None = None

    def numbers(self) -> None:
        """Kinds with a form; a cell that passes several is the likeliest one's."""
        passed: dict[Kind, tuple[float, list[int]]] = {}
        for form in forms(self.year):
            confidence, places = self._weigh(form)
            if confidence:
                before = passed.get(form.kind, (0.0, []))
                passed[form.kind] = max(confidence, before[0]), sorted({*before[1], *places})
        for kind, (confidence, places) in sorted(passed.items(), key=lambda item: -item[1][0]):
            own = [place for place in places if not self.kinds[place]]
            if len(own) * 5 >= len(places):
                self._take(kind, confidence, own)
        if "phone" in self.confidence:  # a series that has not been given out yet, among numbers that are
            self._take("phone", 0.0, self._left(could_be_phone))
        if not {"citizen_id", "old_citizen_id"}.isdisjoint(self.confidence):
            for kind, test in _OTHER_PAPERS:
                if others := self._left(test):
                    self._take(kind, 0.75, others)

    def _left(self, test: Callable[[str], bool]) -> list[int]:
        return [place for place in self.filled if not self.kinds[place] and test(self.cells[place])]

    def _take(self, kind: Kind, confidence: float, places: Sequence[int]) -> None:
        self.confidence[kind] = max(round(confidence, 2), self.confidence.get(kind, 0.0))
        for place in places:
            self.kinds[place].add(kind)

    def _weigh(self, form: Form) -> tuple[float, list[int]]:
        said = hint(self.header, form.kind)
        cells, parted = self.cells, self.parted if form.kind != "coordinates" else {}
        if said == "for" and form.kind in _WITHIN_OTHERS:
            cells = self._cores(form)
        shaped = [
            place for place in self.short
            if (all(map(form.shape, parted[place])) if place in parted else form.shape(cells[place]))
        ]  # fmt: skip
        passed = [
            place for place in shaped
            if (all(map(form.check, parted[place])) if place in parted else form.check(cells[place]))
        ]  # fmt: skip
        if form.weak and said != "for" and 2 * len(passed) < len(self.filled):
            return 0.0, []
        texts = {form.bare(parted[place][0] if place in parted else cells[place]) for place in passed}
        share = len(passed) / max(1, len(shaped))
        confidence = believed(form, said, share, texts) if passed else 0.0
        if said != "for" and form.credible and not form.credible({cells[place] for place in passed}):
            return 0.0, []
        if (said == "for" or confidence >= _SURE) and form.near is not None:
            near = [place for place in self.filled if self._near(form.near, place, cored=cells is not self.cells)]
            if near and (confidence or 10 * len(near) >= 8 * len(self.filled)):
                return max(confidence, 0.8), sorted({*passed, *near})
        return confidence, passed

    def _cores(self, form: Form) -> list[str]:
        """The cells, of those that are no such number the part that is one."""
        cells = list(self.cells)
        for place in self.short:
            cell = cells[place]
            known = place in self.parted or form.check(cell) or digits.is_health_card(cell)
            if not known and form.check(bare := core(cell)):
                self.cored[place] = cells[place] = bare
        return cells

    def _near(self, near: Callable[[str], bool], place: int, *, cored: bool) -> bool:
        cell = self.cells[place]
        if len(cell) >= 40 or near(cell):
            return len(cell) < 40
        if not cored or place in self.parted or not near(bare := core(cell)):
            return False
        self.cored[place] = bare
        return True

    def words(self) -> None:
        """Names, addresses, days of birth, halves of coordinates, free text."""
        left = [place for place in self.filled if not self.kinds[place]]
        if not left:
            return
        cells = [self.cells[place] for place in left]
        for finding in words_in.findings(self.header, cells, self.year):
            self._take(finding.kind, finding.confidence, [left[i] for i in finding.places])
            self.half = self.half or finding.half

    def persons_at(self) -> None:
        """A person at the head of an address, where nearly every cell has another one there."""
        places = [place for place in self.filled if "address" in self.kinds[place]]
        heads = {place: _HEAD.split(self.cells[place], maxsplit=1)[0] for place in places}
        named = [place for place, head in heads.items() if strength(head) in ("strong", "likely")]
        several = 5 * len({heads[place] for place in named}) >= 4 * len({self.cells[place] for place in named})
        if len(named) >= 5 and 10 * len(named) >= 6 * len(places) and several:
            self._take("person_name", 0.75, named)

    def embedded(self) -> None:
        """Cells of several words that are nothing as a whole (or only free text) are read word by word."""
        hits: Counter[Kind] = Counter()
        told = frozenset(kind for kind in _TOLD_BY_HEADERS if hint(self.header, kind) == "for")
        found: dict[int, set[Kind]] = {}
        for place in self.filled:
            cell, known = self.cells[place], self.kinds[place] - {"free_text"}
            if part := self.cored.get(place):
                cell = cell.replace(part, "0" * len(part))
            whole = known and not part and not (known <= _SPOKEN and _HOLDS_MORE.search(cell))
            if whole or not _worth_reading(cell):
                continue
            # A name that is the whole cell is no mention: of that the column as a whole has been asked.
            kinds = {
                match.kind
                for match in inside(cell, year=self.year, told=told)
                if (match.kind not in known and match.kind != "person_name")
                or match.end - match.start < len(cell) - 1
            }
            if kinds:
                found[place] = kinds
                hits.update(kinds)
        kept = {kind for kind, count in hits.items() if self._holds(kind, count)}
        for place, kinds in found.items():
            for kind in kinds & kept:
                self._take(kind, min(0.95, 0.7 + 0.03 * hits[kind]), [place])

    def _holds(self, kind: Kind, count: int) -> bool:
        """Names and streets stand in titles of wares too: a few of them in a column against it are no persons."""
        if hint(self.header, kind) != "against" or kind in _TOLD_BY_THEMSELVES:
            return kind not in ("person_name", "address") or count >= max(1, 0.02 * len(self.filled))
        return count >= max(3, 0.3 * len(self.filled))

    def judged(self) -> Judged:
        return Judged(
            confidence=dict(sorted(self.confidence.items(), key=lambda item: -item[1])),
            cells=tuple(frozenset(kinds) for kinds in self.kinds), half=self.half,
        )  # fmt: skip


def _worth_reading(cell: str) -> bool:
    """Not a number alone, however it is grouped: of that the column as a whole has been asked."""
    if not any(sign.isalpha() for sign in cell):
        return _SEVERAL.search(cell) is not None
    return (
        "@" in cell or len(cell.split()) >= _EMBEDDED_WORDS or (len(cell) > 10 and any(c.isdigit() for c in cell))
    )


def believed(form: Form, said: Hint, share: float, texts: set[str]) -> float:
    """Confidence that what passed is of the kind: 0 where it is not believed.

    `share` of the cells with the shape that passed, `texts`: the distinct ones without separators. With a header
    for it a third is enough; without one, what passed must be beyond chance; against one, far beyond it and no
    counter.
    """
    count = len(texts)
    beyond = count * -math.log10(form.chance)
    if said == "for":
        return min(0.99, 0.75 + 0.25 * share) if share >= (0.5 if form.weak else 0.3) else 0.0
    if share < (0.97 if form.weak else 0.93 if said == "against" or form.chance > 0.2 else 0.8):
        return 0.0
    spread = len({text.upper()[: form.prefix] for text in texts})
    counter = is_counter(texts)
    if form.weak:
        fits = form.kind != "passport" or {text[0].upper() for text in texts} <= PASSPORT_LETTERS
        if form.kind == "passport" and all(NEW_PASSPORT.fullmatch(text) for text in texts):
            spread = len({text[:4] for text in texts})
        enough, least = (2, 12) if form.kind == "passport" else (8, 25)
        return 0.65 if said == "none" and fits and count >= least and spread >= enough and not counter else 0.0
    if said == "none":
        return min(0.95, 0.6 + 0.05 * beyond) if beyond >= 3 and not (counter and form.kind != "email") else 0.0
    return 0.7 if beyond >= 8 and spread >= 4 and not counter else 0.0


def is_counter(texts: set[str]) -> bool:
    """Numbers that follow one another, as those of invoices and orders do."""
    numbers = sorted(int(text.lstrip("+")) for text in texts if text.lstrip("+").isdigit() and text.isascii())
    if len(numbers) < 3 or len(numbers) < len(texts) // 2:
        return False
    steps = [after - before for before, after in pairwise(numbers)]
    return sorted(steps)[len(steps) // 2] <= 50
