"""What a service answered, told; of a problem what, why, what next in both languages; of SQL a caret."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from marketplace.cli.client import Answer
from marketplace.cli.terminal_table import printable, printable_lines
from marketplace.errors import NotSignedIn
from marketplace.texts import LANGUAGES, message


def tell_answer(answer: Answer, chosen: argparse.Namespace, line: Callable[[Any], str] | None = None) -> int:
    """The answer itself with `--json`, else a line of it, or of each of its `items`; the exit code."""
    if not answer.ok:
        return tell_refusal(answer)
    if chosen.json:
        print(answer.body.decode() or "null")
    elif line is not None:
        told = answer.json()
        for each in told.get("items", [told]):
            print(printable_lines(line(each)))
    return 0


def tell_refusal(answer: Answer, sql: str = "") -> int:
    """Everything on standard error; 1, the exit code."""
    problem = answer.json()
    print(f"{answer.status} {problem['code']}", file=sys.stderr)
    if marked := marked_line(sql, problem):
        print(marked, file=sys.stderr)
    for one in [problem, *problem.get("reasons", ())]:
        for said in _said(one):
            print("  " + _sentences(said), file=sys.stderr)
    for wrong in problem.get("errors", ()):
        for each in _said(wrong):
            print(f"  {printable(wrong['path'])}: {_sentences(each)}", file=sys.stderr)
    return 1


def _said(one: Mapping[str, Any]) -> Iterable[Mapping[str, str]]:
    """Of a command that sent no token: nobody at a shell sends headers."""
    if one.get("code") == NotSignedIn.code:
        return [msgspec.to_builtins(message("command.no_token", {}, language)) for language in LANGUAGES]
    said: Iterable[Mapping[str, str]] = (one.get("messages") or {"": one["message"]}).values()
    return said


def _sentences(said: Mapping[str, str]) -> str:
    return printable_lines(" ".join(said[part] for part in ("what", "why", "next")))


def marked_line(sql: str, problem: Mapping[str, Any]) -> str:
    """The line of the SQL that is meant, a caret under each character of the word; empty if no place is told."""
    place, lines = problem.get("position"), sql.splitlines()
    if not place or not 1 <= place["line"] <= len(lines):
        return ""
    written = lines[place["line"] - 1]
    before = "".join(c if c == "\t" else " " for c in written[: place["column"] - 1])
    word = str(problem.get("params", {}).get("word", ""))
    line = "".join(c if c.isprintable() or c == "\t" else "�" for c in written)
    return f"  {line}\n  {before}{'^' * max(len(word), 1)}"
