"""A file scanned while it is read: rows for the recognisers chosen by number, single values counted in all."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Final

import numpy as np
import pyarrow as pa
from pyarrow import compute

from catalog.cohorts import Ints
from catalog.pii.column import judge
from catalog.pii.folding import as_seen
from catalog.pii.kinds import Kind
from catalog.pii.mask import mask
from catalog.pii.order import MOST_PAIRED, Detected, DetectedColumn, DetectedPair, FoundKind, ScanOrder
from catalog.pii.singling import Singles, hashed, mixed
from catalog.pii.within import inside

_RARE: Final = 300
_COARSE: Final = r"[@＠]\w|\p{Nd}[\p{Nd}\p{Cf} ._()–\-]{6,}\p{Nd}|[A-Z]\p{Nd}{7}"
"""What most kinds have in them: every row is swept for it."""
_WORDS_SHARE: Final = 0.5
_EXAMPLES: Final = 3
_MOST_SIGNS: Final = 4_000


_NUMBERS: Final = 600
"""Distinct cells without a letter that tell what a column is; among words one cell may be somebody's."""
Write = Callable[[pa.Array], pa.DictionaryArray]


def _as_it_is(column: pa.Array) -> pa.DictionaryArray:
    return column


def _enough(cells: list[str]) -> list[str]:
    """The first ones, which are as random as all."""
    if len(cells) <= _NUMBERS or any(map(str.isalpha, "".join(cells))):
        return cells
    seen: set[str] = set()
    for place, cell in enumerate(cells):
        seen.add(cell)
        if len(seen) > _NUMBERS:
            return cells[:place]
    return cells


class Scanner:
    """Takes batches with (at least) the order's columns: dictionaries of texts, or what `write` makes such of."""

    def __init__(self, order: ScanOrder, names: list[str], write: Write = _as_it_is) -> None:
        self.order, self.write = order, write
        self.names = [name for name in names if not order.columns or name in order.columns]
        self.place = {name: place for place, name in enumerate(names)}
        self.rows = 0
        self.filled = dict.fromkeys(self.names, 0)
        self.ranks: Ints = np.zeros(0, dtype=np.uint64)
        self.cells: dict[str, list[str]] = {name: [] for name in self.names}
        self.rare: dict[str, dict[str, None]] = {name: {} for name in self.names}
        self.plain = [name for name in order.plain if name in self.place]
        self.singles = {(name,): Singles() for name in self.plain} | {
            pair: Singles() for pair in combinations(self.plain[:MOST_PAIRED], 2)
        }
        self.persons = Singles()
        self.null_numbers = any(any(map(str.isdigit, word)) for word in order.null_words)
        self.nulls = pa.array([*order.null_words, ""], pa.string())

    def take(self, batch: pa.RecordBatch) -> None:
        """One batch of the file, in its order."""
        ranks = mixed(np.arange(self.rows, self.rows + batch.num_rows, dtype=np.uint64))
        chosen = self._chosen(ranks)
        tidied = {}
        for name in self.names:
            column = batch.column(self.place[name])
            if self._only_sampled(name, column):
                tidied[name] = self._at(column, chosen)
                told = compute.is_finite(column) if pa.types.is_floating(column.type) else compute.is_valid(column)
                self.filled[name] += int(compute.sum(told).as_py() or 0)
                continue
            texts, codes = tidied[name] = self._tidy(self.write(column))
            self.filled[name] += int(np.count_nonzero(codes >= 0))
            self._sweep(name, texts)
        self._sample(tidied, ranks, chosen)
        if self.plain:
            self._count(batch, tidied)
        self.rows += batch.num_rows

    def _tidy(self, column: pa.DictionaryArray) -> tuple[pa.Array, Ints]:
        """The distinct texts without blanks around them, and for each row which of them (-1: blank)."""
        texts = compute.utf8_trim_whitespace(column.dictionary)
        blank = compute.is_in(texts, self.nulls).to_numpy(zero_copy_only=False)
        codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        if len(blank):
            codes = np.where((codes >= 0) & ~blank[codes], codes, -1)
        return texts, codes

    def _only_sampled(self, name: str, column: pa.Array) -> bool:
        """Numbers and days as such: no text can be among them, and to write each costs more than to read it."""
        return not pa.types.is_dictionary(column.type) and name not in self.plain and not self.null_numbers

    def _at(self, column: pa.Array, chosen: Ints) -> tuple[pa.Array, Ints]:
        """As `_tidy`, of the rows chosen; the others count as blank."""
        texts, few = self._tidy(self.write(column.take(pa.array(chosen))))
        codes = np.full(len(column), -1, dtype=np.int64)
        codes[chosen] = few
        return texts, codes

    def _chosen(self, ranks: Ints) -> Ints:
        """Of a batch those rows that may be among the ones with the smallest hashes of their numbers."""
        chosen = np.flatnonzero(ranks < self.ranks.max()) if len(self.ranks) >= self.order.sample_rows else (
            np.arange(len(ranks))
        )  # fmt: skip
        if len(chosen) > self.order.sample_rows:
            chosen = chosen[np.argpartition(ranks[chosen], self.order.sample_rows)[: self.order.sample_rows]]
        return chosen

    def _sample(self, tidied: dict[str, tuple[pa.Array, Ints]], ranks: Ints, chosen: Ints) -> None:
        """Keep the rows with the smallest hashes of their numbers, over the whole file."""
        both = np.concatenate([self.ranks, ranks[chosen]])
        kept = np.argsort(both, kind="stable")[: self.order.sample_rows]
        for name, (texts, codes) in tidied.items():
            new = (
                texts.take(pa.array(np.maximum(codes[chosen], 0))).to_pylist()
                if len(texts)
                else [""] * len(chosen)
            )
            new = ["" if code < 0 else text for code, text in zip(codes[chosen], new, strict=True)]
            cells = self.cells[name] + new
            self.cells[name] = [cells[i] for i in kept]
        self.ranks = both[kept]

    def _sweep(self, name: str, texts: pa.Array) -> None:
        rare = self.rare[name]
        if len(rare) >= _RARE or not len(texts):
            return
        hits = texts.filter(compute.match_substring_regex(texts, _COARSE))
        for text in hits.slice(0, _RARE - len(rare)).to_pylist():
            rare[text] = None

    def _count(self, batch: pa.RecordBatch, tidied: dict[str, tuple[pa.Array, Ints]]) -> None:
        persons = np.arange(self.rows, self.rows + batch.num_rows, dtype=np.uint64)
        if self.order.key is not None and self.order.key in self.place:
            texts, codes = self._tidy(self.write(batch.column(self.place[self.order.key])))
            persons = np.where(codes >= 0, np.append(hashed(texts), np.uint64(0))[codes], persons)
        self.persons.take(mixed(persons), persons)
        hashes = {}
        for name in self.plain:
            texts, codes = (
                tidied[name] if name in tidied else self._tidy(self.write(batch.column(self.place[name])))
            )
            hashes[name] = np.append(hashed(texts), np.uint64(0))[codes], codes >= 0
        for names, singles in self.singles.items():
            value, there = hashes[names[0]]
            if len(names) == 2:
                second, also = hashes[names[1]]
                value, there = mixed(value ^ mixed(second)), there & also
            singles.take(value[there], persons[there])

    def detected(self) -> Detected:
        """All that was found; call once, at the end."""
        people = max(1.0, self.persons.alone())
        share = {names: min(1.0, round(s.alone() / people, 6)) for names, s in self.singles.items()}
        return Detected(
            rows=self.rows, persons=round(self.persons.alone()), sampled_rows=len(self.ranks),
            columns=tuple(
                DetectedColumn(name=name, filled=self.filled[name], kinds=kinds, singles=share.get((name,)))
                for name, kinds in self._kinds().items()
            ),
            pairs=tuple(DetectedPair(first=n[0], second=n[1], singles=s) for n, s in share.items() if len(n) == 2),
            exact=all(singles.exact for singles in self.singles.values()),
        )  # fmt: skip

    def _kinds(self) -> dict[str, tuple[FoundKind, ...]]:
        self.cells = {name: _enough(cells) for name, cells in self.cells.items()}
        # Distinct cells: what most rows say (a blank word, a default) hides nothing, and costs nothing twice.
        distinct = {name: list(dict.fromkeys(cell for cell in self.cells[name] if cell)) for name in self.names}
        judged = {name: judge(name, distinct[name], year=self.order.year) for name in self.names}
        halves = {each.half for each in judged.values() if each.half is not None}
        found = {}
        for name, each in judged.items():
            lone = each.half is not None and len(halves) < 2 and each.confidence.get("coordinates", 1.0) <= 0.5
            kinds = tuple(
                self._found(
                    name,
                    kind,
                    confidence,
                    {cell for cell, within in zip(distinct[name], each.cells, strict=True) if kind in within},
                )
                for kind, confidence in each.confidence.items()
                if not (lone and kind == "coordinates")
            )
            found[name] = kinds + self._rare_kinds(name, {kind.kind for kind in kinds})
        return found

    def _found(self, name: str, kind: Kind, confidence: float, cells: set[str]) -> FoundKind:
        hits = [cell for cell in self.cells[name] if cell in cells]
        filled = max(1, sum(bool(cell) for cell in self.cells[name]))
        shown = dict.fromkeys(mask(cell) for cell in hits[:50])
        return FoundKind(
            kind=kind, confidence=confidence, share=round(len(hits) / filled, 4),
            examples=tuple(list(shown)[:_EXAMPLES]) if kind != "free_text" else (),
        )  # fmt: skip

    def _rare_kinds(self, name: str, known: set[Kind]) -> tuple[FoundKind, ...]:
        """In texts whose cells the sample missed: one is enough, for one telephone number is somebody's."""
        hits: dict[Kind, list[str]] = {}
        for cell in (as_seen(text[:_MOST_SIGNS]) for text in (self.rare[name] if self._has_words(name) else ())):
            for match in inside(cell, year=self.order.year):
                if match.kind not in known and match.kind not in ("person_name", "address"):
                    hits.setdefault(match.kind, []).append(cell[match.start : match.end])
        return tuple(
            FoundKind(kind=kind, confidence=0.7, share=round(len(found) / max(1, self.filled[name]), 6),
                      examples=tuple(dict.fromkeys(mask(each) for each in found[:_EXAMPLES])))
            for kind, found in hits.items()
        )  # fmt: skip

    def _has_words(self, name: str) -> bool:
        """Texts, or short words among which a number is an exception: in a column of numbers it is one of them."""
        if any(len(cell.split()) > 2 for cell in self.rare[name]):
            return True
        filled = [cell for cell in self.cells[name] if cell]
        words = sum(not any(sign.isdecimal() for sign in cell) for cell in filled)
        return words > _WORDS_SHARE * len(filled)
