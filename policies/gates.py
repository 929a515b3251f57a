"""The map that the docs and `sandulieu policies law` show: gate → fact → source → law → case that tries it.

It is read from the METADATA of the rules themselves, so it cannot say anything else than they do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from msgspec import Struct
from ruamel.yaml import YAML

from policies.sources import FOLDER, data, rules

BLOCK = re.compile(r"^# METADATA\n((?:#.*\n)+)(.*)$", re.MULTILINE)
EVERY_FACT = "*"


class Custom(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`gate`: of a denial, the gate that does not hold, and `remedy` what cures it. `source`: whence the fact."""

    code: str
    law: tuple[str, ...]
    gate: str | None = None
    facts: tuple[str, ...] = ()
    source: str | None = None
    remedy: str | None = None


class Annotation(Struct, frozen=True, kw_only=True):
    """What stands above a rule."""

    title: str
    description: str
    custom: Custom
    document: str
    """The package that the rule is in."""
    head: str = ""
    """The first line of the rule."""

    @property
    def is_gate(self) -> bool:
        return self.head.startswith("gates contains")

    @property
    def is_denial(self) -> bool:
        return self.head.startswith("deny contains")


class Law(Struct, frozen=True, kw_only=True):
    """An entry of policies/data/law.json. `checked_by`: counsel who confirmed it, None so far."""

    id: str
    article: str
    value: str
    valid_from: str
    valid_to: str | None
    source: str
    checked_by: str | None


def annotated() -> tuple[Annotation, ...]:
    """Of every annotated rule, in the order of the files. Raises msgspec.ValidationError for one without law."""
    return tuple(_annotated())


def _annotated() -> Iterator[Annotation]:
    yaml = YAML(typ="safe", pure=True)
    for path in rules():
        for comment, head in BLOCK.findall(path.read_text(encoding="utf-8")):
            if head.startswith("package "):
                continue
            block = yaml.load(re.sub(r"(?m)^# ?", "", comment))
            yield msgspec.convert(block | {"head": head, "document": path.parent.name}, Annotation)


def laws() -> dict[str, Law]:
    """By id."""
    return {law.id: law for law in msgspec.convert(data()["law"], list[Law])}


def cases_of(code: str) -> tuple[str, ...]:
    """Names of the cases whose denial has this code; `*.missing` stands for every gate's."""
    wanted = re.compile(re.escape(code).replace(r"\*", r"\w+"))
    found: list[str] = []
    for path in sorted((FOLDER / "cases").glob("*.json")):
        cases = msgspec.json.decode(path.read_bytes()).get("cases", [])
        found += [f"{path.stem}: {case['name']}" for case in cases if any(map(wanted.fullmatch, case["codes"]))]
    return tuple(found)


def table() -> str:
    """Markdown: one row a denial, so one row for each way in which a gate may not hold."""
    head = (
        "| gate | it denies with | when | facts | where they come from | law | tried by |\n" + "|---" * 7 + "|\n"
    )
    return head + "".join(map(_row, (a for a in annotated() if a.is_denial)))


def _row(denial: Annotation) -> str:
    custom = denial.custom
    tried = cases_of(custom.code)
    case = f"`{tried[0]}`" + (f" and {len(tried) - 1} more" if len(tried) > 1 else "") if tried else "`opa test`"
    facts = "every fact" if custom.facts == (EVERY_FACT,) else ", ".join(f"`{fact}`" for fact in custom.facts)
    gate = f"`{custom.gate}`" if custom.gate else "all"
    cells = (gate, f"`{custom.code}`", denial.title, facts, custom.source or "", ", ".join(custom.law), case)
    return "| " + " | ".join(cells) + " |\n"
