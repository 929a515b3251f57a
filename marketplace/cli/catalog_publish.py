"""`sandulieu catalog publish`: the operator's own tool, directly on the database."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import msgspec

from catalog.history import Waiting
from catalog.pii.gate import Override
from catalog.storage import Store
from marketplace.cli.home_database import home_database
from marketplace.cli.overriding import add_override
from marketplace.cli.suite import suite_beside
from marketplace.cli.telling import read_pair, tell_manifest
from marketplace.config import load
from marketplace.db.keys import Keys
from marketplace.listings.errors import ManifestWrong
from marketplace.listings.once import Released
from marketplace.listings.operator import sender_for
from marketplace.listings.parsing import parse_manifest
from marketplace.listings.press import Press
from marketplace.listings.publish import publish_version
from marketplace.queries.policy_server import policy_server
from marketplace.sources.located import located
from marketplace.texts import LANGUAGES
from marketplace.web.words import say
from policies.engine import open_engine


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """catalog publish."""
    parser = verbs.add_parser("publish")
    parser.add_argument("manifest", type=Path, metavar="MANIFEST")
    parser.add_argument("file", type=Path, metavar="FILE")
    add_override(parser)
    parser.set_defaults(func=_publish)


def _publish(chosen: argparse.Namespace) -> int:
    text = read_pair(chosen.manifest, chosen.file)
    if text is None:
        return 2
    try:
        beside = suite_beside(chosen.manifest)
        config = load()
        with located(chosen.file, home=config.home, deadline_ms=config.ingest_deadline_ms) as source:
            released = asyncio.run(_release(text, source, tuple(chosen.override), beside))
    except ManifestWrong as wrong:
        return tell_manifest(wrong, chosen.manifest, as_json=chosen.json)
    if chosen.json:
        print(msgspec.json.encode(released).decode())
        return 0
    print(f"✓ {released.slug} · {released.number} · {released.version_id}")
    for each in released.waiting:
        print(f"  {_waits(each)}")
    return 0


def _waits(waiting: Waiting) -> str:
    vi, en = (say(f"waiting.{waiting.reason}", language) for language in LANGUAGES)
    figures = f"{waiting.persons:,} người chờ/persons wait, {waiting.cohorts:,} nhóm/cohorts"
    return f"{figures}, {waiting.since:%Y-%m-%d}: {vi} / {en}"


async def _release(
    manifest_text: str, source: Path, overrides: tuple[Override, ...], suite_text: str | None
) -> Released:
    config = load()
    manifest = parse_manifest(manifest_text)
    async with home_database(config, connections=4) as database:
        async with database.session() as session:
            by = await sender_for(session, owner_slug=manifest.owner)
        engine = open_engine(policy_server(config))
        try:
            press = Press(
                config=config,
                database=database,
                store=Store(config.path("store")),
                keys=Keys(config.path("keys")),
                engine=engine,
            )
            return await publish_version(
                press,
                manifest_text=manifest_text,
                source=source,
                by=by,
                may_exist=True,
                overrides=overrides,
                suite_text=suite_text,
            )
        finally:
            await engine.close()
