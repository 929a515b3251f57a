"""A first manifest as YAML: every guess with its reason beside it, what only the owner knows left empty."""

from __future__ import annotations

import functools
import json
import math
import re
from importlib import resources
from typing import Any, get_args, get_type_hints

import msgspec

from catalog.guess.hints import hint_of, words_of
from catalog.guess.told import GuessedColumn, GuessReply
from catalog.manifest import LegalBasis, Manifest, Purpose
from catalog.pii.kinds import WORDS
from catalog.transforms import Transform
from sandbox.job import LEVEL

_MOST_COLUMNS = 64
_RESERVED = frozenset({"n", LEVEL, ""})
_SQL_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")
_HEAD = """\
slug: {slug}
title: {{vi: "", en: ""}}
description: {{vi: "", en: ""}}
owner: ""
licence: ""
source: ""
themes: [""]
spatial: VN
temporal: ""
update_frequency: ""  # {frequencies}
population: ""  # {population}
mode: rows
k: 10
l: 2
legal_basis: {{kind: "", law: ""}}  # kind: {kinds}; law: sandulieu policies law
purposes: [""]  # {purposes}
offer: {{base_vnd: 1000, per_gb_vnd: 100000}}
"""


def manifest_text(reply: GuessReply, *, slug: str) -> str:
    """What `catalog check` accepts once the owner has filled in what is empty."""
    lines = [
        _seen(reply),
        *_above(reply),
        *_errors(reply),
        f"# {_said('fill')}",
        _head(slug),
        *(f"# consent: {{research.academic: {_quoted(c.name)}}}  # {_said('consents')}" for c in _consents(reply)),
        *_person(reply),
        *_nothing(reply),
        *_reading(reply),
        *_events(reply),
    ]
    lines.append(f"# {_said('fine', share=f'{100 * reply.fine_share:.0f}')}")
    lines.append("columns:")
    taken: set[str] = set()
    for column in _listed(reply):
        lines += _column(column, taken, is_key=column.name == _key(reply))
    if len(reply.columns) > _MOST_COLUMNS:
        lines.append(f"  # {_said('more', count=len(reply.columns) - _MOST_COLUMNS)}")
    return "\n".join(lines) + "\n"


def _head(slug: str) -> str:
    """With the words that each key may have."""
    return _HEAD.format(
        slug=slug, population=_said("population"), purposes=", ".join(get_args(Purpose)),
        kinds=", ".join(get_args(get_type_hints(LegalBasis)["kind"])),
        frequencies=", ".join(get_args(get_type_hints(Manifest)["update_frequency"])),
    ).rstrip()  # fmt: skip


def slug_of(file_name: str) -> str:
    """A dataset's slug from the name of a file."""
    stem = file_name.split(".", maxsplit=1)[0]
    made = sql_name(stem, set())
    return made if words_of(stem) and _SQL_NAME.fullmatch(made) else "dataset"


def sql_name(name: str, taken: set[str]) -> str:
    """A name for SQL that no other column has."""
    made = re.sub(r"_+", "_", words_of(name).replace(" ", "_"))[:40].strip("_")
    if not made or not made[0].isalpha():
        made = f"c_{made}".rstrip("_")
    if len(made) < 2 or made in _RESERVED:
        made = f"{made}_1"
    number, unique = 2, made
    while unique in taken:
        unique, number = f"{made}_{number}", number + 1
    taken.add(unique)
    return unique


def _listed(reply: GuessReply) -> list[GuessedColumn]:
    """As many as a manifest may have, in the order of the file: those that get into a version before others."""
    key = _key(reply)
    first = sorted(reply.columns, key=lambda c: (c.role in ("drop", "identifier"), c.name != key))[:_MOST_COLUMNS]
    names = {column.name for column in first}
    return [column for column in reply.columns if column.name in names]


def _seen(reply: GuessReply) -> str:
    encoding = f", {reply.encoding}" if reply.encoding else ""
    code = "seen_whole" if reply.whole else "seen_part"
    return f"# {_said(code, rows=f'{reply.rows:,}', format=reply.format, encoding=encoding)}"


def _above(reply: GuessReply) -> list[str]:
    above = reply.header_row - reply.header_rows
    if reply.header_rows > 1:
        return [f"# {_said('header_joined', first=above + 1, last=reply.header_row, above=above)}"]
    return [f"# {_said('header', row=reply.header_row, above=above)}"] if above > 0 else []


def _errors(reply: GuessReply) -> list[str]:
    return [f"# {_said('formula_errors', cells=f'{reply.formula_errors:,}')}"] if reply.formula_errors else []


def _key(reply: GuessReply) -> str:
    return reply.subject_key or reply.repeated_key


def _consents(reply: GuessReply) -> list[GuessedColumn]:
    return [column for column in reply.columns if column.reason == "consent"]


def _person(reply: GuessReply) -> list[str]:
    key = _key(reply)
    if not key or not any(c.name == key for c in _listed(reply)):
        return [f"privacy_unit: row  # {_said('row')}"]
    why = "key" if reply.subject_key else "repeated" if _dated(reply) else "repeated_undated"
    return ["privacy_unit: column", f"subject_key: {_quoted(key)}  # {_said(why)}"]


def _nothing(reply: GuessReply) -> list[str]:
    if not reply.null_words:
        return []
    words = ", ".join(json.dumps(word, ensure_ascii=False) for word in reply.null_words)
    return [f"null_words: [{words}]  # {_said('nothing')}"]


def _reading(reply: GuessReply) -> list[str]:
    lines = [f"  sheet: {_quoted(reply.sheet)}"] if reply.sheet else []
    if reply.decimal:
        lines.append(f"  decimal: {reply.decimal}  # {_said('decimal_found')}")
    elif reply.decimal_unclear:
        lines.append(f'  decimal: ""  # {_said("decimal")}')
    if reply.two_digit_years:
        lines.append(f"  century_from: 1930  # {_said('century')}")
    if left_out := len(reply.total_rows) + reply.ragged:
        share = min(math.ceil(10_000 * left_out / max(reply.rows + reply.ragged, 1)) / 10_000, 0.5)
        why = []
        if reply.total_rows:
            why.append(_said("totals", rows=", ".join(map(str, reply.total_rows))))
        if reply.ragged:
            why.append(_said("ragged", rows=reply.ragged, which=", ".join(map(str, reply.ragged_rows))))
        lines.append(f"  max_rejected_share: {share:g}  # {'; '.join(why)}")
    return ["reading:", *lines] if lines else []


def _dated(reply: GuessReply) -> str:
    """The column that tells a person's later row from an earlier one: a day, but not that of a birth."""
    days = [c.name for c in reply.columns if c.type in ("date", "timestamp") and hint_of(c.name) is None]
    return days[0] if days else ""


def _events(reply: GuessReply) -> list[str]:
    """Where persons have several rows: what their latest one says."""
    day = _dated(reply)
    if not reply.repeated_key or not day:
        return []
    lines = [
        f"  {_quoted(c.name)}: "
        + (f"{{take: max, of: {_quoted(day)}}}" if c.name == day
           else f"{{take: last, of: {_quoted(c.name)}, by: {_quoted(day)}}}")
        for c in _listed(reply) if c.role not in ("drop", "identifier")
    ]  # fmt: skip
    return ["events:", *lines] if lines else []


def _column(column: GuessedColumn, taken: set[str], *, is_key: bool) -> list[str]:
    figures = _figures(column)
    reason = _reason(column)
    if column.role in ("identifier", "drop"):
        role = "identifier" if is_key else column.role
        return [f"  - {{name: {_quoted(column.name)}, role: {role}}}  # {reason}; {figures}"]
    lines = [f"  - name: {_quoted(column.name)}  # {figures}"]
    shown = sql_name(column.name, taken)
    if shown != column.name:
        lines.append(f"    as: {shown}")
    if column.type != "text":
        lines.append(f"    type: {column.type}")
    hint = hint_of(column.name)
    meaning = {"vi": hint.vi, "en": hint.en} if hint else {"vi": "", "en": ""}
    if column.spellings:
        lines.append(f"    # {_said('spellings', count=column.spellings)}")
    lines += [
        f"    role: {column.role}  # {reason}",
        f"    personal: {column.personal}",
        f"    meaning: {{vi: {_quoted(meaning['vi'])}, en: {_quoted(meaning['en'])}}}",
    ]
    for key, transform in (("transform", column.transform), ("fallback", column.fallback)):
        if transform is not None:
            lines.append(f"    {key}: {_flow(transform)}")
    return lines


def _reason(column: GuessedColumn) -> str:
    if column.found is None:
        return _said(column.reason)
    said, kinds = _words()[column.reason], WORDS[column.found].split("/")
    return f"{said['vi'].format(kind=kinds[0])} / {said['en'].format(kind=kinds[1])}"


def _figures(column: GuessedColumn) -> str:
    return _said("figures", values=f"{column.values:,}", empty=f"{100 * column.empty_share:.1f}")


def _flow(transform: Transform) -> str:
    if transform.drop:
        return "{drop: true}"
    if transform.bins is not None:
        return f"{{bins: [{', '.join(f'{bound:.15g}' for bound in transform.bins)}]}}"
    if transform.truncate is not None:
        return f"{{truncate: {transform.truncate}}}"
    return f"{{hierarchy: {transform.hierarchy}, level: {transform.level}}}"


def _quoted(text: str) -> str:
    """As YAML reads it back, whatever stands in it: escapes for all that does not print."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text) and text.casefold() not in _TAKEN_WORDS:
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in json.dumps(text, ensure_ascii=False))


_TAKEN_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


@functools.cache
def _words() -> dict[str, dict[str, str]]:
    text = (resources.files("catalog") / "guess" / "words.json").read_text(encoding="utf-8")
    return msgspec.json.decode(text, type=dict[str, dict[str, str]])


def _said(code: str, **figures: Any) -> str:
    """In both languages, on one line."""
    both = _words()[code]
    return f"{both['vi'].format(**figures)} / {both['en'].format(**figures)}"
