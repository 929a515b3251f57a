"""The statement of one search: candidates by the index tier after tier, ranked, counted by facet."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from marketplace.search.facets import FRESHNESS, FRESHNESS_DAYS
from marketplace.search.lexemes import SAMPLE, SHARES
from marketplace.search.matching import Matched, signed

CANDIDATES: Final = 200
POSTINGS: Final = 8_000
"""Of the rarest word of a question, that are read at most: of a commoner one, those of a sample."""
_FIELDS: Final = "'{0.1, 0.3, 0.6, 1}'"
"""What a word counts in columns, descriptions, keywords, titles."""
_SHORT_TITLE: Final = 0.25
_WHOLE: Final = 10
"""A listing that has all that is asked stands before every one that has not."""
_LEAST_SHARE: Final = 0.3
"""A listing that has less of what is asked is none of the answer."""
FIRST: Final = (float("inf"), uuid.UUID(int=2**128 - 1))

_FIND = """
with every as materialized (select * from ({tiers}) as tiers limit {most}), candidate as materialized (
    select tier.listing_id, tier.facets, tier.released_at, {score} as score
    from (select listing_id, facets, title_words, released_at, words
        from (select distinct place from every) as once
            join listing_search on listing_search.ctid = once.place offset 0) as tier
    {lateral} {least}
)
select (select count(*) from candidate) as listings, (select {more} from every) as more,
    (select coalesce(jsonb_agg(jsonb_build_array(listing_id, score)), '[]') from (
        select listing_id, score from candidate
        where (score, listing_id) < (cast({score_after} as float8), cast({id_after} as uuid))
        order by score desc, listing_id desc limit {limit}) as best) as hits,
    {facets} as facets, {fresh} as fresh, jsonb_build_object({besides}) as besides
"""
_FACETS = """
    (select coalesce(jsonb_object_agg(code, listings), '{{}}') from (
        select code, count(*) as listings from {source}, unnest(facets) as code {which} group by code
     ) as counted)
"""
_FRESH = "(select jsonb_build_object({fresh}) from {source})"
_PLACE: Final = "ctid as place, {tier} as tier"
"""Of a row: tiers tell of the same ones, and rows are wide."""
_COUNTED: Final = "facets, released_at"
_TIER = "(select {fields} from listing_search where {where} order by listing_id desc limit {most})"
_SAMPLED = "(select * from ({samples}) as sampled limit {most})"
_SAMPLE = "select {fields} from listing_search where {where}"


class _Values:
    """Parameters of a statement, by names of our own."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {}

    def put(self, value: Any) -> str:
        """As the statement has it."""
        name = f"value_{len(self.named)}"
        self.named[name] = value
        return f"%({name})s"


class Tier(Struct, frozen=True):
    """A tsquery (empty: every listing), in how many listings its rarest word stands, and how many are taken."""

    query: str
    listings: int
    most: int = CANDIDATES


class Ask(Struct, frozen=True, kw_only=True):
    tiers: tuple[Tier, ...]
    units: tuple[Matched, ...]
    """By which candidates are ranked; none: the newest come first."""
    whole: str = ""
    """Where others are ranked too: what a listing has that has all that is asked."""
    words_asked: int
    since: datetime | None
    at: datetime
    after: tuple[float, uuid.UUID]
    limit: int
    among: uuid.UUID | None
    narrowing: tuple[tuple[str, ...], ...] = ()
    """Facets of which very many listings have one of the values: looked at row by row."""
    newest_first: bool = False


def statement(ask: Ask, besides: Mapping[str, Ask]) -> tuple[str, dict[str, Any]]:
    """The SQL as the driver takes it (another each time: nothing is kept of it), and its parameters; of each of
    `besides` only its facet is counted."""
    values = _Values()
    ranked = bool(ask.units)
    since = {name: values.put(ask.at - timedelta(days=days)) for name, days in FRESHNESS_DAYS.items()}
    fresh = ", ".join(f"'{name}', count(*) filter (where released_at >= {at})" for name, at in since.items())
    sql = _FIND.format(
        score=_score(ask, values) if ranked else "cast(0 as float8)",
        tiers=_tiers(ask, _PLACE, values),
        more=" or ".join(
            f"count(*) filter (where tier = {number}) >= {tier.most}" for number, tier in enumerate(ask.tiers)
        ),
        most=CANDIDATES,
        lateral=_lateral(ask, values) if ranked else "",
        least=f"where {_share(ask)} >= {_LEAST_SHARE}" if ask.whole and ranked else "",
        score_after=values.put(ask.after[0]),
        id_after=values.put(ask.after[1]),
        limit=values.put(ask.limit),
        facets=_FACETS.format(source="candidate", which=""),
        fresh=_FRESH.format(source="candidate", fresh=fresh),
        besides=", ".join(f"'{name}', {_beside(name, each, fresh, values)}" for name, each in besides.items()),
    )
    return sql, values.named


def _beside(name: str, ask: Ask, fresh: str, values: _Values) -> str:
    source = f"({_tiers(ask, _COUNTED, values)}) as beside"
    if name == FRESHNESS:
        return _FRESH.format(source=source, fresh=fresh)
    return _FACETS.format(source=source, which=f"where starts_with(code, {values.put(f'{name}:')})")


def _tiers(ask: Ask, fields: str, values: _Values) -> str:
    each = (
        _tier(ask, tier, fields.replace("{tier}", str(number)), values) for number, tier in enumerate(ask.tiers)
    )
    return " union all ".join(each)


def _tier(ask: Ask, tier: Tier, fields: str, values: _Values) -> str:
    also = [f"facets && cast({values.put(list(wanted))} as text[])" for wanted in ask.narrowing]
    if ask.since is not None:
        also.append(f"released_at >= {values.put(ask.since)}")
    if ask.among is not None:
        also.append(f"listing_id = {values.put(ask.among)}")
    elif not ask.units:
        also.append(f"listing_id < {values.put(ask.after[1])}")
    if ask.units and ask.among is None:
        return _sampled(tier, fields, also, values)
    where = " and ".join([*_matching(0, tier, values), *also])
    return _TIER.format(fields=fields, where=where or "true", most=tier.most)


def _sampled(tier: Tier, fields: str, also: Sequence[str], values: _Values) -> str:
    """The smallest sample that may hold enough; those after it are read only if it does not."""
    samples = []
    before = None
    for level in _levels(tier):
        where = [*_matching(level, tier, values), *also]
        if before is not None:
            where.append(f"get_byte(uuid_send(listing_id), 15) %% {SHARES[before]} <> 0")
        samples.append(_SAMPLE.format(fields=fields, where=" and ".join(where)))
        before = level
    return _SAMPLED.format(samples=" union all ".join(samples), most=tier.most)


def _levels(tier: Tier) -> Sequence[int]:
    """From a small sample to the largest whose postings can be read."""
    levels = range(len(SHARES))
    first = max(level for level in levels if level == 0 or tier.listings // SHARES[level] > tier.most)
    last = next((level for level in levels if tier.listings // SHARES[level] <= POSTINGS), levels[-1])
    return range(max(first, last), last - 1, -1)


def _matching(level: int, tier: Tier, values: _Values) -> list[str]:
    if not tier.query:
        return []
    return [f"words @@ cast({values.put(signed(tier.query, SAMPLE * level))} as tsquery)"]


def _lateral(ask: Ask, values: _Values) -> str:
    ranks = []
    for number, unit in enumerate(ask.units):
        ways = []
        for way in unit.ways:
            if not way.weight:
                continue
            query = f"cast({values.put(way.query)} as tsquery)"
            rank = f"{way.weight} * ts_rank({_FIELDS}, tier.words, {query})"
            ways.append(f"case when tier.words @@ {query} then {rank} else 0 end" if way.adjacent else rank)
        ranks.append(f"greatest({', '.join(ways)}) as rank_{number}")
    return f"cross join lateral (select {', '.join(ranks)}) as rank"


def _score(ask: Ask, values: _Values) -> str:
    if ask.newest_first:
        return "cast(extract(epoch from tier.released_at) as float8)"
    total = sum(unit.weight for unit in ask.units)
    ranked = " + ".join(f"{unit.weight:.6f} * rank_{number}" for number, unit in enumerate(ask.units))
    said = f"cast({values.put(float(ask.words_asked))} as float8) / greatest(tier.title_words, 1)"
    score = f"({ranked}) / {total:.6f} * (1 + {_SHORT_TITLE} * least(1.0, {said}))"
    if ask.whole:
        whole = f"cast(tier.words @@ cast({values.put(ask.whole)} as tsquery) as int)"
        score += f" * power({_share(ask)}, 1.5) + {_WHOLE} * {whole}"
    return f"cast({score} as float8)"


def _share(ask: Ask) -> str:
    """By weight, how much of what is asked a listing has."""
    missed = [(number, unit) for number, unit in enumerate(ask.units) if unit.missed]
    total = sum(unit.weight for _, unit in missed)
    there = " + ".join(f"case when rank_{number} > 0 then {unit.weight:.6f} else 0 end" for number, unit in missed)
    return f"(({there}) / {total:.6f})"


def rarest(units: Sequence[Matched], *, titles: bool = False) -> int:
    """In how many listings all of them can stand at most."""
    return min(((unit.title_listings if titles else unit.listings) for unit in units), default=0)
