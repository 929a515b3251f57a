"""How good the search is: nDCG@10 over judged questions, beside plain `tsvector` ranking of the same texts."""

from __future__ import annotations

import asyncio
import math
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bench.asked_of_viet_nam import ASKED, SET_ASIDE
from bench.figure import figure
from bench.listings_of_viet_nam import Made, catalogue
from bench.queries_of_viet_nam import JUDGED, Judged
from bench.stranger_of_viet_nam import STRANGER
from bench.topics_of_viet_nam import TOPICS
from bench.unseen_of_viet_nam import SET_ASIDE as UNSEEN_ASIDE
from bench.unseen_of_viet_nam import UNSEEN_TOPICS, WORKED_ON
from bench.untuned_of_viet_nam import KEPT_BACK, UNTUNED
from marketplace.config import Config
from marketplace.db import embedded, migrate
from marketplace.db.base import utcnow
from marketplace.db.engine import Database, database_url
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


async def figures() -> list[dict[str, Any]]:
    """A catalogue of some 300 datasets; judgements are by topic and place."""
    with tempfile.TemporaryDirectory(prefix="sandulieu-bench-") as folder:
        config = Config(home=Path(folder))
        await asyncio.to_thread(migrate.upgrade, config)
        database = Database(database_url(config), connections=2)
        try:
            async with database.session() as session:
                made = catalogue()
                await _load(session, made)
                ours, plain = await _asked(session, made, JUDGED)
                untuned, untuned_plain = await _asked(session, made, UNTUNED)
                kept_back, _ = await _asked(session, made, KEPT_BACK)
                asked, asked_plain = await _asked(session, made, ASKED)
                set_aside, _ = await _asked(session, made, SET_ASIDE)
                more = catalogue((*TOPICS, *UNSEEN_TOPICS))
                await _put(session, more[len(made) :])
                unseen, unseen_plain = await _asked(session, more, WORKED_ON)
                unseen_aside, _ = await _asked(session, more, UNSEEN_ASIDE, show=False)
                stranger, stranger_plain = await _asked(session, more, STRANGER)
        finally:
            await database.close()
            embedded.stop(config.home)
    mean, baseline = fmean(ours), fmean(plain)
    return [
        figure(f"search: nDCG@10 of {len(made)} datasets, beside plain tsvector ranking", mean, "nDCG",
               n=len(JUDGED), baseline=baseline, goal=1.3, better="higher"),
        figure("search: questions whose best answer comes first", sum(o > 0.99 for o in ours) / len(ours), "share",
               n=len(JUDGED), better="higher"),
        figure("search: nDCG@10 of questions of others, worked on afterwards", fmean(untuned), "nDCG",
               n=len(untuned), baseline=fmean(untuned_plain), better="higher"),
        figure("search: nDCG@10 of questions of others, kept back until then", fmean(kept_back), "nDCG",
               n=len(kept_back), better="higher"),
        figure("search: nDCG@10 of later questions, worked on afterwards", fmean(asked), "nDCG",
               n=len(asked), baseline=fmean(asked_plain), better="higher"),
        figure("search: nDCG@10 of later questions, set aside", fmean(set_aside), "nDCG",
               n=len(set_aside), better="higher"),
        figure(f"search: nDCG@10 of unseen questions and datasets ({len(more)}), worked on afterwards",
               fmean(unseen), "nDCG", n=len(unseen), baseline=fmean(unseen_plain), better="higher"),
        figure("search: nDCG@10 of unseen questions and datasets, set aside", fmean(unseen_aside), "nDCG",
               n=len(unseen_aside), better="higher"),
        figure("search: nDCG@10 of one more stranger's questions (first look 0.896)", fmean(stranger), "nDCG",
               n=len(stranger), baseline=fmean(stranger_plain), better="higher"),
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
