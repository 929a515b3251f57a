"""Names: which relation, column or alias a word means at one place (letter case never matters, as in DuckDB)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from .errors import Refusal
from .tree import Call, ColumnRef, Expression, Query
from .types import Type
from .walking import walk

_LONGEST = 40
_COMPARED = 500
"""Words, and characters of each: to compare two takes the product of their lengths, and a refusal is free."""


def nearest(word: str, known: list[str]) -> str:
    """The known word that looks most like `word`; empty if none does, or if it is longer than words are."""
    if len(word) > _LONGEST:
        return ""
    by_lower = {one.lower(): one for one in reversed(known[:_COMPARED]) if len(one) <= _LONGEST}
    return next((by_lower[m] for m in get_close_matches(word.lower(), list(by_lower), n=1, cutoff=0.7)), "")


_PARTS = frozenset({"second", "minute", "hour", "day", "week", "month", "quarter", "year"})


@dataclass(frozen=True, slots=True)
class Field:
    """A column that a relation offers, and what it stands for."""

    name: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Offer:
    """A relation in FROM under its alias."""

    alias: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """A column joined by USING: what its name means, and for how many columns (the first so named) it stands."""

    field: Field
    count: int
    start: int
    """Where in the offers its group of joins begins."""


@dataclass(frozen=True, slots=True)
class Cte:
    name: str
    columns: tuple[tuple[str, Type], ...]
    query: Query


@dataclass(slots=True)
class Scope:
    """What can be named inside one SELECT; `parent` is the query around it."""

    parent: Scope | None = None
    ctes: dict[str, Cte] = field(default_factory=dict)
    offers: list[Offer] = field(default_factory=list)
    merged: dict[str, Merged] = field(default_factory=dict)
    """Columns joined by USING, which an unqualified name means."""
    aliases: dict[str, Expression] = field(default_factory=dict)
    windows: dict[str, object] = field(default_factory=dict)
    aggregates_allowed: bool = False
    windows_allowed: bool = False

    @contextmanager
    def clause(self, *, aggregates: bool, windows: bool) -> Iterator[None]:
        """While inside, what of aggregates and window functions may stand here."""
        before = self.aggregates_allowed, self.windows_allowed
        self.aggregates_allowed, self.windows_allowed = aggregates, windows
        try:
            yield
        finally:
            self.aggregates_allowed, self.windows_allowed = before

    def cte(self, name: str) -> Cte | None:
        """The CTE of that name, here or around."""
        found = self.ctes.get(name.lower())
        return found or (self.parent.cte(name) if self.parent else None)

    def offered(self, alias: str) -> Offer | None:
        return next((offer for offer in self.offers if offer.alias.lower() == alias.lower()), None)

    def names(self) -> list[str]:
        """Every name that would have been understood as a column here."""
        here = [f.name for offer in self.offers for f in offer.fields] + list(self.aliases)
        return here + (self.parent.names() if self.parent else [])

    def star(self) -> list[Field]:
        """What * means: each column once, those joined by USING at their first place."""
        seen: Counter[str] = Counter()
        found = []
        for one in (f for offer in self.offers for f in offer.fields):
            name = one.name.lower()
            merged = self.merged.get(name)
            seen[name] += 1
            if merged is None or seen[name] > merged.count:
                found.append(one)
            elif seen[name] == 1:
                found.append(merged.field)
        return found

    def column(self, name: str, at: int | None, end: int | None) -> Expression | None:
        """The column of that unqualified name in FROM; None if there is none. Refusal if there are several."""
        wanted = name.lower()
        found = [f.expression for offer in self.offers for f in offer.fields if f.name.lower() == wanted]
        merged = self.merged.get(wanted)
        if merged is not None and len(found) <= merged.count:
            return merged.field.expression
        if len(found) > 1:
            owner = next(o.alias for o in self.offers if any(f.name.lower() == wanted for f in o.fields))
            raise Refusal("sql.ambiguous_column", at, end, use=f"{owner}.{name}")
        return found[0] if found else None

    def alias(self, name: str, at: int | None, end: int | None) -> Expression | None:
        """The expression that the select list calls `name`, if it may stand here."""
        found = self.aliases.get(name.lower())
        if found is None:
            return None
        calls = [node for node in walk(found) if isinstance(node, Call)]
        if any(c.window is not None for c in calls) and not self.windows_allowed:
            raise Refusal("sql.misplaced_window", at, end, use="QUALIFY")
        if any(c.kind == "aggregate" and c.window is None for c in calls) and not self.aggregates_allowed:
            raise Refusal("sql.misplaced_aggregate", at, end, use="HAVING")
        return found

    def resolve(
        self, name: str, table: str, at: int | None, end: int | None, *, quoted: bool = False
    ) -> Expression:
        """What `name` or `table.name` means. Refusal if nothing, or more than one thing."""
        scope: Scope | None = self
        while scope is not None:
            found = scope._qualified(name, table) if table else scope.column(name, at, end)
            if found is None and scope is self and not table:
                found = self.alias(name, at, end)
            if found is not None:
                return replace(found, at=at, end=end) if isinstance(found, ColumnRef) else found
            scope = scope.parent
        raise self._unknown(name, at, end, quoted=quoted)

    def _qualified(self, name: str, table: str) -> Expression | None:
        offer = self.offered(table)
        if offer is None:
            return None
        return next((f.expression for f in offer.fields if f.name.lower() == name.lower()), None)

    def _unknown(self, name: str, at: int | None, end: int | None, *, quoted: bool) -> Refusal:
        columns = ", ".join(dict.fromkeys(f.name for offer in self.offers for f in offer.fields))
        use = nearest(name, self.names())
        if not use and (quoted or name.lower() in _PARTS):
            use = f"'{name}'"  # other dialects take "x" for a text, and a bare word for a part of a date
        elif not use and name.lower() == "rownum":
            use = "LIMIT 10"
        elif not use and name.lower() == "rowid":
            use = "row_number() OVER (ORDER BY x)"
        elif not use and name[0] in "‘’“”´":
            use = f"'{name.strip('‘’“”´')}'"  # as word processors write quotes
        return Refusal("sql.unknown_column", at, end, use=use, columns=columns)
