"""What a CKAN client finds: packages, organisations, tags, with their counts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, and_, cast, false, func, literal, not_, or_, select, true
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.metadata.described import Described, Party
from catalog.terms.tokens import tokens
from marketplace.accounts.models import Organisation
from marketplace.feeds.ckan_query import Term
from marketplace.feeds.reads import Owner, describe, listed_rows
from marketplace.listings.models import Dataset, DatasetVersion
from marketplace.search.lexemes import TITLE
from marketplace.search.models import ListingSearch

SORTS: Final[dict[str, Any]] = {
    "metadata_modified": DatasetVersion.created_at,
    "metadata_created": Dataset.created_at,
    "name": Dataset.slug,
    "title": Dataset.title_vi,
    "title_string": Dataset.title_vi,
    "id": Dataset.id,
}
MOST_WORDS: Final = 12
FACETS: Final = ("groups", "license_id", "organization", "res_format", "tags")


class Counted(Struct, frozen=True, kw_only=True):
    """A value of a facet and how many listed datasets have it."""

    name: str
    display_name: str
    count: int


class OrganisationCounted(Struct, frozen=True, kw_only=True):
    party: Party
    packages: int


async def search_packages(
    session: AsyncSession, *, terms: Sequence[Term], sort: Sequence[tuple[str, bool]], start: int, rows: int
) -> tuple[int, tuple[Described, ...]]:
    """How many there are, and those from `start` on. `sort`: names of SORTS, and whether the greatest is first."""
    found = _that(terms)
    total: int = (await session.execute(_joined(select(func.count())).where(found))).scalar_one()
    if not rows:
        return total, ()
    order = [SORTS[name].desc() if falling else SORTS[name].asc() for name, falling in sort]
    page = listed_rows().where(found).order_by(*order, Dataset.id.desc()).offset(start).limit(rows)
    return total, await describe(session, (await session.execute(page)).all())


async def package_names(session: AsyncSession, *, start: int, rows: int) -> list[str]:
    """Names of listed datasets, in their order."""
    names = select(Dataset.slug).where(Dataset.current_version_id.is_not(None)).order_by(Dataset.slug)
    return list((await session.execute(names.offset(start).limit(rows))).scalars())


async def facet(session: AsyncSession, name: str, terms: Sequence[Term], *, limit: int) -> tuple[Counted, ...]:
    """The most frequent values of a facet among what was found."""
    found, number = _that(terms), func.count().label("number")
    columns: tuple[Any, Any]
    if name == "organization":
        columns = (Owner.slug, Owner.name)
    elif name == "license_id":
        columns = (Dataset.licence, Dataset.licence)
    elif name == "tags":
        each = _joined(select(func.unnest(Dataset.themes).label("theme"))).where(found).subquery()
        rows = select(each.c.theme, each.c.theme, number).group_by(each.c.theme)
        return await _most(session, rows, number, limit)
    else:
        return ()
    return await _most(session, _joined(select(*columns, number)).where(found).group_by(*columns), number, limit)


async def _most(
    session: AsyncSession, rows: Select[*tuple[Any, ...]], number: ColumnElement[int], limit: int
) -> tuple[Counted, ...]:
    most = rows.order_by(number.desc(), rows.selected_columns[0]).limit(limit)
    return tuple(
        Counted(name=name, display_name=title, count=count) for name, title, count in await session.execute(most)
    )


async def organisations(
    session: AsyncSession, *, named: str | None = None, start: int = 0, rows: int = 1000
) -> tuple[OrganisationCounted, ...]:
    """Owners that have something listed, by slug; those that list nothing are not told."""
    number = func.count().label("number")
    found = (
        select(Organisation.id, Organisation.slug, Organisation.name, number)
        .join(Dataset, or_(Dataset.owner_id == Organisation.id, Dataset.partner_id == Organisation.id))
        .where(Dataset.current_version_id.is_not(None))
        .group_by(Organisation.id)
        .order_by(Organisation.slug)
        .offset(start)
        .limit(rows)
    )
    if named is not None:
        found = found.where(or_(Organisation.slug == named, Organisation.id == _uuid(named)))
    return tuple(
        OrganisationCounted(party=Party(id=str(id_), slug=slug, name=name), packages=packages)
        for id_, slug, name, packages in await session.execute(found)
    )


def _joined(rows: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        rows.select_from(Dataset)
        .join(DatasetVersion, DatasetVersion.id == Dataset.current_version_id)
        .join(Owner, Owner.id == Dataset.owner_id)
    )


def _that(terms: Sequence[Term]) -> ColumnElement[bool]:
    """All terms hold."""
    held = (_holds(term) if term.wanted else not_(_holds(term)) for term in terms)
    return and_(true(), *held)


def _holds(term: Term) -> ColumnElement[bool]:
    match term.field:
        case "organization":
            return Owner.slug == term.value
        case "owner_org":
            return Owner.id == _uuid(term.value)
        case "id":
            return Dataset.id == _uuid(term.value)
        case "name":
            return Dataset.slug == term.value
        case "license_id":
            return Dataset.licence == term.value
        case "tags":
            return Dataset.themes.contains([term.value])
        case "title":
            return _worded(term.value, TITLE)
        case _:
            return _worded(term.value, "")


def _worded(value: str, mark: str) -> ColumnElement[bool]:
    """Listings that have every word of the value; of their titles where `mark` is the title's."""
    words = [f"'{mark}{word.folded}'" for word in tokens(value)[:MOST_WORDS]]
    if not words:
        return false()
    query = cast(" & ".join(words), TSQUERY)
    found = select(ListingSearch.listing_id).where(ListingSearch.words.bool_op("@@")(query))
    return Dataset.id.in_(found)


def _uuid(text: str) -> ColumnElement[uuid.UUID]:
    """The id, or one that nothing has."""
    try:
        return literal(uuid.UUID(text))
    except ValueError:
        return literal(uuid.UUID(int=0))
