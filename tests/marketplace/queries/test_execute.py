"""Which files a query is given: those of its own purpose's revision, whoever asked before."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from catalog.storage import Store
from catalog.version import Revision
from marketplace.queries.execute import revision_for
from marketplace.queries.lines import Line
from marketplace.queries.services import Services
from tests.catalog.small import ROW_MANIFEST, people, publish_rows


async def _given(store: Store, version: Any, excluded: frozenset[int], number: int) -> Revision:
    line = SimpleNamespace(
        version=version,
        facts=SimpleNamespace(excluded=excluded, revision=number),
        decision=SimpleNamespace(obligations=SimpleNamespace(consented_to=None)),
    )
    return await revision_for(cast(Services, SimpleNamespace(store=store)), cast(Line, line))


async def test_two_purposes_without_consent_whose_revisions_have_the_same_number_get_their_own_files(
    tmp_path: Path,
) -> None:
    """Somebody objects to one purpose, somebody else to another: each is revision 1 of its purpose."""
    store = Store(tmp_path / "store")
    made = await asyncio.to_thread(publish_rows, store, tmp_path, people(), manifest=ROW_MANIFEST)
    found = [await _given(store, made.version, frozenset({cohort}), 1) for cohort in (0, 1, 0)]
    assert found[0].parts != found[1].parts
    assert found[0] == found[2]
