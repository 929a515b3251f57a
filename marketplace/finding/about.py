"""All that helps to choose a dataset, beside what it says of itself."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.quality.figures import Figures
from marketplace.db.base import utcnow
from marketplace.finding.changes import VersionChange, read_changes
from marketplace.finding.citing import Citation, cite
from marketplace.finding.related import Related, read_related
from marketplace.finding.use import Use, read_use
from marketplace.listings.schemas import DatasetPage
from marketplace.quality.figured import read_figures


class Choosing(Struct, frozen=True, kw_only=True):
    """`use` is None where fewer than five companies used the dataset."""

    figures: Figures
    changes: tuple[VersionChange, ...]
    citation: Citation
    use: Use | None


class About(Choosing, frozen=True, kw_only=True):
    """With what is like it, for which the catalogue is searched."""

    related: tuple[Related, ...]


async def choosing(session: AsyncSession, page: DatasetPage, *, site: str) -> Choosing:
    """Of a listed dataset."""
    return Choosing(
        figures=await read_figures(session, page.version.id),
        changes=await read_changes(session, page.id),
        citation=cite(page, site=site),
        use=await read_use(session, page.id, at=utcnow()),
    )


async def about(session: AsyncSession, page: DatasetPage, *, site: str) -> About:
    """Of a listed dataset, all of it."""
    chosen = await choosing(session, page, site=site)
    related = await read_related(session, page, at=utcnow())
    return About(**{name: getattr(chosen, name) for name in Choosing.__struct_fields__}, related=related)
