"""What is shown of a version's columns: made of the profile that the jail counted once, never of another look."""

from __future__ import annotations

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.quality.figures import Figures, figures_of
from catalog.quality.wire import Profile
from catalog.version import Version

_COUNTED = text("""
select v.body, q.profile from dataset_version v
left join quality_check q on q.version_id = v.id and q.room = 'released' where v.id = :version
""")


async def read_figures(session: AsyncSession, version_id: str) -> Figures:
    """As everybody may see them, of a version that is listed; the same ones whoever withdraws afterwards."""
    row = (await session.execute(_COUNTED, {"version": version_id})).one()
    profile = msgspec.convert(row.profile, Profile) if row.profile else None
    return figures_of(msgspec.convert(row.body, Version), profile)
