"""The `sandulieu` command. Exit: 0 ok, 1 refused or failed, 2 usage."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import import_module

import msgspec

from marketplace.errors import Problem
from marketplace.texts import message

COMMANDS = ("serve", "demo", "db", "policies", "catalog", "query", "audit", "ledger", "doctor")
"""Modules of marketplace.cli; each adds its sub-commands by `add_parser`."""


def parser() -> argparse.ArgumentParser:
    """The whole command line; a sub-command's module is imported when the parser is built."""
    root = argparse.ArgumentParser(
        prog="sandulieu", description="Sàn dữ liệu: một truy vấn, một quyết định, một giá, một bằng chứng."
    )
    subparsers = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        import_module(f"marketplace.cli.{name}").add_parser(subparsers)
    return root


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a refusal is told in both languages on standard error."""
    chosen = parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = chosen.func
    try:
        return run(chosen)
    except Problem as problem:
        tell(problem.code, problem.params)
        return 1
    except msgspec.ValidationError as wrong:
        print(f"{wrong}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def tell(code: str, params: dict[str, object]) -> None:
    """What happened, why and what to do next, in Vietnamese and English."""
    for language in ("vi", "en"):
        said = message(code, params, language)
        print(f"{said.what} {said.why} {said.next}".strip(), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
