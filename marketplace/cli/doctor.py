"""`sandulieu doctor`: what is here, what is missing, how to get it, what that costs."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

import msgspec
from msgspec import Struct

from marketplace.cli.present import Part, look
from marketplace.config import Config, load
from marketplace.texts import LANGUAGES, Language

TEXTS = Path(__file__).parents[1] / "texts" / "doctor.json"
NEEDS = {
    "always": "luôn cần / always",
    "tests": "để kiểm thử / for tests",
    "building": "để dựng / to build",
    "optional": "tùy chọn / optional",
}


class Words(Struct, frozen=True, kw_only=True):
    """Of a part: what it is for, how to get it, what that costs."""

    purpose: str
    get: str
    cost: str


class Told(Struct, frozen=True, kw_only=True):
    """A part with its words, as `--json` gives it."""

    part: Part
    words: dict[Language, Words]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """doctor."""
    parser = subparsers.add_parser("doctor")
    parser.set_defaults(func=lambda chosen: run(chosen.json))


def run(json_output: bool) -> int:
    """Print every part; 1 when one that is always needed is missing."""
    parts = doctor(load())
    print(as_json(parts) if json_output else as_text(parts))
    return 1 if any(part.need == "always" and not part.present for part in parts) else 0


def doctor(config: Config) -> list[Part]:
    """Every part, the ones the service needs first."""
    return list(look(config))


@functools.cache
def words() -> dict[str, dict[Language, Words]]:
    """By part and language. Raises msgspec.ValidationError for a file of the wrong shape."""
    return msgspec.json.decode(TEXTS.read_bytes(), type=dict[str, dict[Language, Words]])


def as_json(parts: list[Part]) -> str:
    """One array: each part, and its words in both languages."""
    told = [Told(part=part, words=words()[part.name]) for part in parts]
    return msgspec.json.format(msgspec.json.encode(told), indent=1).decode()


def as_text(parts: list[Part]) -> str:
    """A line a part, then how to get what is missing, in Vietnamese and English."""
    width = max(len(part.name) for part in parts)
    lines = [_line(part, width) for part in parts]
    missing = [part for part in parts if not part.present]
    if missing:
        lines += ["", "Còn thiếu / Missing:"]
    for part in missing:
        lines.append(f"  {part.name} ({NEEDS[part.need]})")
        for language in LANGUAGES:
            told = words()[part.name][language]
            lines.append(f"    {language}: {told.purpose} {told.get} {told.cost}")
    return "\n".join(lines)


def _line(part: Part, width: int) -> str:
    sign = "✓" if part.present else "✗" if part.need == "always" else "–"
    return f"{sign} {part.name:<{width}}  {part.version or '':<18}  {part.place or ''}".rstrip()
