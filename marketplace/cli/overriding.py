"""`--override`, where a version is made."""

from __future__ import annotations

import argparse

import msgspec

from catalog.pii.gate import Override


def add_override(parser: argparse.ArgumentParser) -> None:
    """Answers to findings of personal data."""
    parser.add_argument(
        "--override", action="append", default=[], type=_override, metavar="COLUMN[+COLUMN]:KIND=REASON",
    )  # fmt: skip


def _override(text: str) -> Override:
    """Raises ArgumentTypeError for what has not the form, or hardly a reason."""
    try:
        where, reason = text.split("=", 1)
        columns, finding = where.rsplit(":", 1)
        said = {"columns": columns.split("+"), "finding": finding.strip(), "reason": reason.strip()}
        return msgspec.convert(said, Override)
    except (ValueError, msgspec.ValidationError) as wrong:
        raise argparse.ArgumentTypeError("COLUMN[+COLUMN]:KIND=REASON (≥ 10 characters of reason)") from wrong
