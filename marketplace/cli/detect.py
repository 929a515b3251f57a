"""`sandulieu catalog detect FILE`: which columns hold personal data, before there is a manifest."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from catalog.pii.detect import detect
from catalog.pii.kinds import WORDS
from catalog.pii.order import DetectedColumn
from marketplace.config import load
from marketplace.jailed import told_as
from marketplace.listings.errors import VersionRefused


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """catalog detect."""
    parser = verbs.add_parser("detect")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.set_defaults(func=_detect)


def _detect(chosen: argparse.Namespace) -> int:
    config = load()
    limits = config.ingest_limits()
    try:
        with told_as(VersionRefused):
            detected = detect(chosen.file, limits=limits)
    except OSError as wrong:
        print(f"Không đọc được / cannot read: {wrong}", file=sys.stderr)
        return 2
    if chosen.json:
        print(msgspec.json.encode(detected).decode())
    else:
        for column in detected.columns:
            _tell(column)
    return 0


def _tell(column: DetectedColumn) -> None:
    print(f"{column.name}{'' if column.kinds else ' —'}")
    for found in column.kinds:
        shown = ", ".join(found.examples)
        print(
            f"    {WORDS[found.kind]:<32} {found.share:>8.2%}  tin cậy/confidence {found.confidence:.2f}  {shown}"
        )
