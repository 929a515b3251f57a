"""`sandulieu catalog consents import|export|late`: the operator's own tool, directly on the database."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import msgspec

from catalog.storage import Store
from marketplace.cli.home_database import home_database
from marketplace.config import load
from marketplace.consents.exports import as_csv, as_ndjson, exported
from marketplace.consents.imports import Importing, import_events
from marketplace.consents.late import Clocks, read_clocks
from marketplace.consents.schemas import Imported
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import NotFound
from marketplace.listings.operator import sender_for
from marketplace.listings.reads import dataset_id_of, read_dataset

FORMATS = {"ndjson": as_ndjson, "csv": as_csv}


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """consents import, export, late."""
    consents = verbs.add_parser("consents")
    deeds = consents.add_subparsers(dest="deed", required=True, metavar="VERB")
    take = deeds.add_parser("import")
    take.add_argument("file", type=Path, metavar="FILE")
    take.add_argument("--on-error", choices=("keep", "refuse"), default="keep")
    give = deeds.add_parser("export")
    give.add_argument("--format", choices=tuple(FORMATS), default="ndjson")
    give.add_argument("--json", dest="format", action="store_const", const="ndjson")
    give.add_argument("--output", type=Path, metavar="FILE")
    for parser, run in ((take, _import), (give, _export)):
        parser.add_argument("--dataset", required=True, metavar="SLUG")
        parser.set_defaults(func=run)
    late = deeds.add_parser("late")
    late.set_defaults(func=_late)


def _import(chosen: argparse.Namespace) -> int:
    if not chosen.file.is_file():
        print(f"Không đọc được / cannot read: {chosen.file}", file=sys.stderr)
        return 2
    done = asyncio.run(_take(chosen.file, chosen.dataset, all_or_nothing=chosen.on_error == "refuse"))
    if chosen.json:
        print(msgspec.json.encode(done).decode())
        return 0
    for fault in done.faults:
        for said in fault.messages.values():
            print(f"{chosen.file}:{fault.line}: {said.what} {said.why} {said.next}", file=sys.stderr)
    print(
        f"✓ {done.given:,} given · {done.withdrawn:,} withdrawn · {done.revoked:,} revoked · "
        f"{done.already:,} đã có/already · {done.fault_count:,} sai/wrong"
    )
    return 0


async def _take(source: Path, slug: str, *, all_or_nothing: bool) -> Imported:
    config = load()
    async with home_database(load(), connections=4) as database:
        async with database.session() as session:
            page = await read_dataset(session, slug)
            if page is None:
                raise NotFound
            by = await sender_for(session, owner_slug=page.owner_slug)
        parts = Importing(
            config=config, database=database, store=Store(config.path("store")), keys=Keys(config.path("keys"))
        )
        return await import_events(parts, by=by, dataset_id=page.id, source=source, all_or_nothing=all_or_nothing)


def _export(chosen: argparse.Namespace) -> int:
    write = FORMATS[chosen.format]
    if chosen.output is None:
        asyncio.run(_give(chosen.dataset, write, sys.stdout.buffer))
        return 0
    with chosen.output.open("wb") as out:
        asyncio.run(_give(chosen.dataset, write, out))
    return 0


async def _give(slug: str, write: Callable[..., bytes], out: BinaryIO) -> None:
    async with home_database(load(), connections=4) as database:
        async for piece in exported(database, await _dataset_id(database, slug), write):
            out.write(piece)


def _late(chosen: argparse.Namespace) -> int:
    clocks = asyncio.run(_clocks())
    if chosen.json:
        print(msgspec.json.encode(clocks).decode())
        return 0
    print(f"theo cấu hình / as configured: {clocks.law}")
    for item in clocks.items:
        print(
            f"{item.owner_name} · {item.slug}: {item.acknowledged:,} xác nhận/acknowledged "
            f"({item.acknowledged_late:,} muộn/late) · {item.stopped:,} dừng/stopped "
            f"({item.stopped_late:,} muộn/late)"
        )
    for each in clocks.late:
        print(f"  {each.slug} {each.deed}: {each.said} → {each.due} < {each.recorded} · {each.events:,}")
    return 0


async def _clocks() -> Clocks:
    async with home_database(load(), connections=4) as database, database.reading() as session:
        return await read_clocks(session, owner_id=None)


async def _dataset_id(database: Database, slug: str) -> UUID:
    async with database.reading() as session:
        dataset_id = await dataset_id_of(session, slug)
    if dataset_id is None:
        raise NotFound
    return dataset_id
