"""All that helps to choose a dataset, beside what it says of itself."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.finding.changes import VersionChange, read_changes
from marketplace.finding.citing import Citation, cite
from marketplace.finding.related import Related, read_related
from marketplace.finding.use import Use, read_use
from marketplace.listings.schemas import DatasetPage


class About(Struct, frozen=True, kw_only=True):
    """`use` is None where fewer than five companies used the dataset."""

    changes: tuple[VersionChange, ...]
    citation: Citation
    related: tuple[Related, ...]
    use: Use | None


async def about(session: AsyncSession, page: DatasetPage, *, site: str) -> About:
    """Of a listed dataset."""
    at = utcnow()
    return About(
        changes=await read_changes(session, page.id),
        citation=cite(page, site=site),
        related=await read_related(session, page, at=at),
        use=await read_use(session, page.id, at=at),
    )


def site_of(config: Config) -> str:
    """Where readers reach the exchange."""
    return config.public_url or f"http://{config.host}:{config.port}"
