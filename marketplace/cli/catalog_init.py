"""`sandulieu catalog init`: a first manifest for a file that nobody has described. Needs no database."""

from __future__ import annotations

import argparse
import sys
from itertools import takewhile
from pathlib import Path
from typing import get_args

import msgspec

from catalog.guess.guess import guess
from catalog.guess.writing import manifest_text, slug_of
from catalog.reading import Decimal, Reading
from marketplace.config import load
from marketplace.jailed import told_as
from marketplace.listings.errors import VersionRefused
from marketplace.sources.located import located


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """catalog init."""
    parser = verbs.add_parser("init")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("manifest", type=Path, nargs="?", metavar="MANIFEST")
    parser.add_argument("--sheet", metavar="NAME")
    parser.add_argument("--decimal", choices=get_args(Decimal))
    parser.set_defaults(func=_init)


def _init(chosen: argparse.Namespace) -> int:
    manifest = chosen.manifest or chosen.file.with_name("manifest.yaml")
    if not chosen.file.exists():
        print(f"Không đọc được / cannot read: {chosen.file}", file=sys.stderr)
        return 2
    if manifest.exists():
        print(f"Đã có, không ghi đè / is there already, left as it is: {manifest}", file=sys.stderr)
        return 1
    config = load()
    limits = config.ingest_limits()
    with (
        told_as(VersionRefused),
        located(chosen.file, home=config.home, deadline_ms=config.ingest_deadline_ms) as source,
    ):
        reply = guess(source, limits=limits, reading=Reading(sheet=chosen.sheet, decimal=chosen.decimal))
    text = manifest_text(reply, slug=slug_of(chosen.file.name))
    manifest.write_text(text, encoding="utf-8")
    if chosen.json:
        print(msgspec.json.encode(reply).decode())
    else:
        # What was seen and what is to be done stand at the manifest's head.
        seen = takewhile(lambda line: line.startswith("# "), text.splitlines())
        print("\n".join([f"✓ {manifest}", *(f"  {line[2:]}" for line in seen)]))
    return 0
