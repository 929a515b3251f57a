"""The map that the docs and `sandulieu policies law` show: gate → fact → source → law → case that tries it.

It is read from the METADATA of the rules themselves, so it cannot say anything else than they do.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct
from ruamel.yaml import YAML

from policies.sources import ENTRYPOINTS, FOLDER, revision, rules

BLOCK = re.compile(r"^# METADATA\n((?:#.*\n)+)(.*)$", re.MULTILINE)
EVERY_FACT = "*"
DOCUMENTS = tuple(entrypoint.split("/")[0] for entrypoint in ENTRYPOINTS)


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

    @property
    def is_warning(self) -> bool:
        return self.head.startswith("told contains")


def annotated() -> tuple[Annotation, ...]:
    """Of every annotated rule, in the order of the files. Raises msgspec.ValidationError for one without law."""
    return _annotated(revision())


@functools.lru_cache(maxsize=1)
def _annotated(_revision: str) -> tuple[Annotation, ...]:
    return tuple(_read())


def _read() -> Iterator[Annotation]:
    yaml = YAML(typ="safe", pure=True)
    for path in rules():
        for comment, head in BLOCK.findall(path.read_text(encoding="utf-8")):
            if head.startswith("package "):
                continue
            block = yaml.load(re.sub(r"(?m)^# ?", "", comment))
            yield msgspec.convert(block | {"head": head, "document": path.parent.name}, Annotation)


def cases_of(code: str, document: str) -> tuple[str, ...]:
    """Names of the document's cases that are told this code; `*.missing` stands for every gate's."""
    wanted = re.compile(re.escape(code).replace(r"\*", r"\w+"))
    return tuple(name for of, name, codes in _cases() if of == document and any(map(wanted.fullmatch, codes)))


@functools.cache
def _cases() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Document, name and codes of every case."""
    folder = FOLDER / "cases"
    schemas = msgspec.json.decode((folder / "bases.json").read_bytes(), type=dict[str, dict[str, Any]])
    found: list[tuple[str, str, tuple[str, ...]]] = []
    for path in sorted(folder.glob("*.json")):
        if path.stem == "bases":
            continue
        file = msgspec.json.decode(path.read_bytes())
        document = schemas[file["base"]]["schema"].split("/")[0]
        found += [
            (document, f"{path.stem}: {case['name']}", (*case["codes"], *case.get("told", ())))
            for case in file["cases"]
        ]
    return tuple(found)


def table() -> str:
    """Markdown: one row a denial or warning, so one row for each way in which a gate may not hold."""
    head = (
        "| document | gate | it says | when | facts | where they come from | law | tried by |\n"
        + "|---" * 8
        + "|\n"
    )
    notes = annotated()
    shown = (a for document in DOCUMENTS for a in notes if a.document == document)
    return head + "".join(_row(a) for a in shown if a.is_denial or a.is_warning)


def _row(denial: Annotation) -> str:
    custom = denial.custom
    tried = cases_of(custom.code, denial.document)
    case = f"`{tried[0]}`" + (f" and {len(tried) - 1} more" if len(tried) > 1 else "") if tried else "`opa test`"
    facts = "every fact" if custom.facts == (EVERY_FACT,) else ", ".join(f"`{fact}`" for fact in custom.facts)
    gate = f"`{custom.gate}`" if custom.gate else "all"
    code = f"`{custom.code}`" + (" (warns)" if denial.is_warning else "")
    cells = (denial.document, gate, code, denial.title, facts, custom.source or "", ", ".join(custom.law), case)
    return "| " + " | ".join(cells) + " |\n"
