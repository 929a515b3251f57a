"""`sandulieu audit archive`: months of the log as files; a folder given, whether it proves itself."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

import msgspec

from marketplace.cli.home_database import home_database
from marketplace.config import Config, load
from marketplace.db.base import utcnow
from marketplace.oversight.archive import ARCHIVE, archive_due, forget_erased
from marketplace.oversight.archive_files import ArchiveBroken, verify_archive
from marketplace.verifier.command import Unusable, read_key
from marketplace.verifier.refusal import Refused

NOTHING = "chưa có tháng nào đến hạn lưu trữ / no month is to be archived yet"


def archive(chosen: argparse.Namespace) -> int:
    """0 done or whole, 1 broken, 2 without a key."""
    if chosen.folder is None:
        try:
            made = asyncio.run(_due(load()))
        except ArchiveBroken as broken:
            print(
                json.dumps({"ok": False, "detail": str(broken)}) if chosen.json else f"✗ {broken}", file=sys.stderr
            )
            return 1
        print(json.dumps({"months": made}) if chosen.json else " ".join(made) or NOTHING)
        return 0
    if chosen.key is None:
        print("--key FILE | KEY", file=sys.stderr)
        return 2
    try:
        verified = verify_archive(chosen.folder, read_key(chosen.key))
    except (ArchiveBroken, Refused, Unusable, OSError) as broken:
        print(json.dumps({"ok": False, "detail": str(broken)}) if chosen.json else f"✗ {broken}", file=sys.stderr)
        return 1
    told = msgspec.to_builtins(verified)
    print(
        json.dumps({"ok": True, **told})
        if chosen.json
        else f"✓ {verified.month}: {verified.opened}/{verified.events}"
    )
    return 0


async def _due(config: Config) -> list[str]:
    async with home_database(config) as database:
        folder = config.path(ARCHIVE)
        return [*await forget_erased(database, folder), *await archive_due(database, folder, at=utcnow())]
