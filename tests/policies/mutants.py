"""Every way in which one small thing in a rule could be wrong, made from OPA's own syntax tree."""

from __future__ import annotations

import base64
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from policies.sources import FOLDER, rules

OPERATORS = {
    "equal": ("!=",),
    "neq": ("==",),
    "lt": ("<=", ">="),
    "lte": ("<", ">"),
    "gt": (">=", "<="),
    "gte": (">", "<"),
    "plus": ("-",),
    "minus": ("+",),
    "min": ("max",),
    "max": ("min",),
    "and": ("|",),
    "or": ("&",),
}
NOT_ASKED = {"assign", "eq"}
"""Expressions that bind a name: to negate them is no rule."""


class Mutant(Struct, frozen=True, kw_only=True):
    """`name`: the same as long as the rule and what is changed in it are, wherever they stand in the file.

    `code`: of the rule's METADATA, or nothing."""

    file: Path
    name: str
    code: str
    source: str


class Edit(Struct, frozen=True):
    at: int
    old: bytes
    new: bytes


def mutants(opa: Path) -> tuple[Mutant, ...]:
    """Of every rule file, in order. Not every one compiles."""
    return tuple(mutant for path in rules() for mutant in _of_file(opa, path))


def _of_file(opa: Path, path: Path) -> Iterator[Mutant]:
    command: list[str | Path] = [opa, "parse", "--format", "json", "--json-include", "locations", path]
    tree = msgspec.json.decode(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    source = path.read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    seen: Counter[str] = Counter()
    for rule in tree["rules"]:
        code, label = _label(rule)
        for edit in dict.fromkeys(_of_rule(rule, starts)):
            assert source[edit.at :].startswith(edit.old)
            name = f"{path.relative_to(FOLDER)}: {label}: {_short(edit.old)} → {_short(edit.new)}"
            seen[name] += 1
            spoilt = source[: edit.at] + edit.new + source[edit.at + len(edit.old) :]
            number = f" ({seen[name]})" if seen[name] > 1 else ""
            yield Mutant(file=path, name=name + number, code=code, source=spoilt.decode())


def _label(rule: Any) -> tuple[str, str]:
    """The code in its METADATA, and its kind with that; without a code its first line."""
    noted = rule.pop("annotations", [])
    if not noted:
        return "", _short(_text(rule).split(b"\n")[0])
    code = str(noted[0]["custom"]["code"])
    return code, f"{_text(rule).split()[0].decode()} {code}"


def _of_rule(rule: Any, starts: list[int]) -> Iterator[Edit]:
    yield Edit(_at(rule, starts), _text(rule), b"")
    yield from _walk(rule, starts)


def _walk(node: Any, starts: list[int]) -> Iterator[Edit]:
    if isinstance(node, dict):
        if "location" in node:
            text, at = _text(node), _at(node, starts)
            yield from (Edit(at, text, new.encode()) for new in _instead(node, text.decode()))
        for key, inner in node.items():
            if key != "location":
                yield from _walk(inner, starts)
    elif isinstance(node, list):
        for inner in node:
            yield from _walk(inner, starts)


def _instead(node: dict[str, Any], text: str) -> Iterator[str]:
    """What may stand in place of a term or an expression."""
    kind, value = node.get("type"), node.get("value", 0)
    if "terms" in node and "index" in node:
        yield from _of_expression(node, text)
    elif kind == "ref" and isinstance(value, list) and len(value) == 1:
        yield from OPERATORS.get(value[0]["value"], ())
    elif kind == "number":
        yield from (str(int(value) + 1), str(int(value) - 1))
    elif kind == "boolean" and text in ("true", "false"):
        yield "false" if value else "true"
    elif kind == "string" and text.startswith('"'):
        yield f'{text[:-1]}~"'


def _of_expression(node: dict[str, Any], text: str) -> Iterator[str]:
    terms = node["terms"]
    called = terms[0].get("value") if isinstance(terms, list) else None
    binds = isinstance(terms, dict) or (isinstance(called, list) and called[0]["value"] in NOT_ASKED)
    if node.get("negated"):
        yield text.removeprefix("not ")
    elif not binds:
        yield f"not {text}"
    if not binds and text != "true":
        yield "true"


def _text(node: Any) -> bytes:
    return base64.b64decode(node["location"].get("text", ""))


def _at(node: Any, starts: list[int]) -> int:
    place = node["location"]
    return starts[int(place["row"]) - 1] + int(place["col"]) - 1


def _short(text: bytes) -> str:
    words = " ".join(text.decode().split())
    return words if len(words) <= 60 else f"{words[:57]}…"
