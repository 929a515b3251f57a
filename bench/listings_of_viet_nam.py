"""A catalogue as ministries and provinces would fill it, some 300 datasets; and a big one of the same words."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from bench.topics_of_viet_nam import MINISTRIES, PROVINCES_AS_WRITTEN, TOPICS, Topic
from marketplace.search.lexemes import Column, Listing

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
EACH = 4
"""Provinces that publish a topic that provinces publish."""


class Made(Struct, frozen=True, kw_only=True):
    """A listing with what it is about, which judgements are made by; `place` empty: the whole country."""

    listing: Listing
    topic: str
    place: str
    title_vi: str
    title_en: str
    texts: tuple[str, ...]


def catalogue(topics: Sequence[Topic] = TOPICS, seed: int = 7) -> list[Made]:
    """The same each time."""
    rng = random.Random(seed)
    made: list[Made] = []
    for topic in topics:
        made.append(_made(topic, "", rng))
        if topic.provincial:
            made += [_made(topic, place, rng) for place in rng.sample(PROVINCES_AS_WRITTEN, EACH)]
    return made


def many(count: int, seed: int = 11) -> Iterator[Listing]:
    """As many as asked: the topics crossed with places, years and words, as skewed as words of catalogues are."""
    rng = random.Random(seed)
    topics = rng.choices(TOPICS, weights=[1 / (n + 1) ** 0.7 for n in range(len(TOPICS))], k=count)
    for topic in topics:
        yield _made(
            topic, rng.choice(PROVINCES_AS_WRITTEN) if rng.random() < 0.8 else "", rng, varied=True
        ).listing


def _made(topic: Topic, place: str, rng: random.Random, *, varied: bool = False) -> Made:
    year = rng.randint(2019, 2025)
    where_vi, where_en = (f" {place}", f" in {place}") if place else (" cả nước", " nationwide")
    owner = MINISTRIES[topic.ministry]
    if place:
        owner = f"UBND {'thành phố' if place in ('Hà Nội', 'Đà Nẵng', 'Cần Thơ', 'Hải Phòng') else 'tỉnh'} {place}"
    title_vi, title_en = f"{topic.vi}{where_vi} {year}", f"{topic.en}{where_en}, {year}"
    extra = f" Mã {rng.randint(1, 5_000)} đợt {rng.choice(_SYLLABLES)}{rng.choice(_SYLLABLES)}." if varied else ""
    texts = (
        f"{topic.about}{extra} Dữ liệu do {owner} thu thập{where_vi}, cập nhật hàng năm, đã ẩn danh.",
        f"{topic.about_en} Collected by the responsible agency{where_en}; anonymised.",
    )
    columns = tuple(Column(name, (meaning, english)) for name, meaning, english in (*topic.columns, *_SHARED))
    listing = Listing(
        id=uuid.UUID(int=rng.getrandbits(128)),
        names=(title_vi, title_en, topic.slug),
        texts=texts,
        themes=topic.themes,
        owner_name=owner,
        owner_slug="-".join(owner.casefold().split()),
        spatial=place or "Việt Nam",
        licence=rng.choice(("CC-BY-4.0", "CC0-1.0", "ODbL-1.0")),
        purposes=tuple(rng.sample(("research.academic", "public.service", "product.rnd", "model.training"), 2)),
        columns=columns,
        state_class=rng.choice(("ordinary", "important", None)),
        price_vnd=rng.choice((0, 500, 5_000, 50_000, 500_000)),
        released_at=FIRST + timedelta(days=rng.randint(0, 900)),
    )
    return Made(listing=listing, topic=topic.slug, place=place, title_vi=title_vi, title_en=title_en, texts=texts)


_SHARED = (
    ("tinh", "Tỉnh, thành phố", "Province"),
    ("nam", "Năm", "Year"),
    ("gioi_tinh", "Giới tính", "Sex"),
    ("nhom_tuoi", "Nhóm tuổi", "Age group"),
)
_SYLLABLES = tuple(f"{a}{b}{c}" for a in ("b", "kh", "l", "ng", "ph", "qu", "tr", "v", "x") for b in "aeiou"
                   for c in ("", "n", "ng", "t", "m"))  # fmt: skip
