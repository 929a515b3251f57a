"""How good the search is: nDCG@10 over judged questions, beside plain `tsvector` ranking of the same texts."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bench.figure import figure
from bench.home import fresh_home
from bench.listings_of_viet_nam import Made, catalogue
from bench.questions_of_viet_nam import QUESTIONS, Judged
from bench.topics_of_viet_nam import TOPICS, UNSEEN_TOPICS
from marketplace.db.base import utcnow
from marketplace.search.indexing import count_words, put_listing
from marketplace.search.ranking import find

TOP = 10
SHOW = bool(os.environ.get("BENCH_SHOW"))
_PLAIN_TABLE = text("create temporary table plain (id uuid primary key, words tsvector)")
_PLAIN_PUT = text("insert into plain values (:id, to_tsvector('simple', :said))")
_PLAIN = text("""
select id from plain, plainto_tsquery('simple', :q) as q where words @@ q
order by ts_rank(words, q) desc, id limit 10
""")


SETS = {
    "untuned": "of questions of others, worked on afterwards",
    "kept_back": "of questions of others, kept back until then",
    "asked": "of later questions, worked on afterwards",
    "set_aside": "of later questions, set aside",
    "unseen": "of unseen questions and datasets ({more}), worked on afterwards",
    "unseen_aside": "of unseen questions and datasets, set aside",
    "stranger": "of one more stranger's questions (first look 0.896)",
}
BESIDE_MORE = ("unseen", "unseen_aside", "stranger")
"""Asked when the datasets that no synonym was made for are there too."""


async def figures() -> list[dict[str, Any]]:
    """A catalogue of some 300 datasets; judgements are by topic and place."""
    made, more = catalogue(), catalogue((*TOPICS, *UNSEEN_TOPICS))
    async with fresh_home(connections=2) as (_, database), database.session() as session:
        await _load(session, made)
        ours, plain = await _asked(session, made, QUESTIONS["judged"])
        first = [name for name in SETS if name not in BESIDE_MORE]
        found = {name: await _asked(session, made, QUESTIONS[name]) for name in first}
        await _put(session, more[len(made) :])
        for name in BESIDE_MORE:
            found[name] = await _asked(session, more, QUESTIONS[name], show=SHOW and name != "unseen_aside")
    return [
        figure(f"search: nDCG@10 of {len(made)} datasets, beside plain tsvector ranking", fmean(ours), "nDCG",
               n=len(ours), baseline=fmean(plain), goal=1.3, better="higher"),
        figure("search: questions whose best answer comes first", sum(o > 0.99 for o in ours) / len(ours), "share",
               n=len(ours), better="higher"),
        *(
            figure(f"search: nDCG@10 {SETS[name].format(more=len(more))}", fmean(gains), "nDCG",
                   n=len(gains), baseline=fmean(beside), better="higher")
            for name, (gains, beside) in found.items()
        ),
    ]  # fmt: skip


async def _asked(
    session: AsyncSession, made: Sequence[Made], questions: Sequence[Judged], *, show: bool = SHOW
) -> tuple[list[float], list[float]]:
    """What ours gains for each, and what plain ranking does."""
    ours, plain = [], []
    for judged in questions:
        found = await find(session, judged.q, at=utcnow(), limit=TOP)
        ours.append(gain(judged, made, [hit.listing_id for hit in found.hits]))
        plain.append(gain(judged, made, (await session.scalars(_PLAIN, {"q": judged.q})).all()))
        if show and ours[-1] < 0.85:
            _show(judged, made, [hit.listing_id for hit in found.hits], ours[-1], plain[-1])
    return ours, plain


async def _load(session: AsyncSession, made: Sequence[Made]) -> None:
    await session.execute(_PLAIN_TABLE)
    await _put(session, made)


async def _put(session: AsyncSession, made: Sequence[Made]) -> None:
    for each in made:
        await put_listing(session, each.listing)
        columns = (part for column in each.listing.columns for part in (column.name, *column.meanings))
        said = " ".join(
            (*each.listing.names, *each.texts, *each.listing.themes, each.listing.owner_name, *columns)
        )
        await session.execute(_PLAIN_PUT, {"id": each.listing.id, "said": said})
    await count_words(session)


def gain(judged: Judged, made: Sequence[Made], ids: Sequence[Any]) -> float:
    """nDCG@10 with gains 2^grade - 1 (Järvelin and Kekäläinen 2002)."""
    grades = {each.listing.id: judged.grade(each) for each in made}
    ideal = sorted(grades.values(), reverse=True)[:TOP]
    best = sum(_discounted(grade, place) for place, grade in enumerate(ideal))
    return sum(_discounted(grades[each], place) for place, each in enumerate(ids)) / best if best else 1.0


def _discounted(grade: float, place: int) -> float:
    return float((2**grade - 1) / math.log2(place + 2))


def _show(judged: Judged, made: Sequence[Made], ids: Sequence[Any], ours: float, plain: float) -> None:
    titles = {each.listing.id: each.title_vi for each in made}
    print(f"{ours:.2f} {plain:.2f} {judged.q}")
    for each in ids[:6]:
        print("       ", titles[each])
