"""What processes that died left in the store: versions that were put in place and never released."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from catalog.errors import VersionDamaged
from catalog.releasing import placed_versions, remove_version
from marketplace.listings.errors import PublicationUnderWay
from marketplace.listings.leftovers import without_row
from marketplace.listings.press import Press
from marketplace.listings.publish import alone

logger = logging.getLogger(__name__)

ABANDONED_S = 86_400
"""By then the transaction that was to release it has ended, even if nobody heard how."""


async def sweep_versions(press: Press) -> int:
    """Remove versions, joint ones too, that have been in the store for a day and that no row names; how many.

    If no row names any of them, the store is another database's, and nothing is removed.
    """
    placed = await asyncio.to_thread(placed_versions, press.store)
    old = [version_id for version_id, placed_at in placed.items() if time.time() - placed_at > ABANDONED_S]
    left = await without_row(press.database, old)
    if left and len(left) == len(old):
        logger.warning("no row names any of %d versions in the store: is this its database?", len(old))
        return 0
    gone = 0
    for version_id in left:
        with contextlib.suppress(PublicationUnderWay):
            gone += await _remove(press, version_id)
    return gone


async def _remove(press: Press, version_id: str) -> int:
    """Under the lock of whoever publishes that dataset, where the version still tells which it is."""
    async with contextlib.AsyncExitStack() as stack:
        with contextlib.suppress(VersionDamaged):
            slug = (await asyncio.to_thread(press.store.version, version_id)).dataset
            await stack.enter_async_context(alone(press.database, slug))
        if not await without_row(press.database, [version_id]):
            return 0
        logger.warning("version %s was left by a publication that came to nothing: removed", version_id)
        await asyncio.to_thread(remove_version, press.store, version_id)
        return 1
