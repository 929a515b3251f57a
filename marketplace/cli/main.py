"""The `sandulieu` command. Exit: 0 ok, 1 refused or failed, 2 usage."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from importlib import import_module

import msgspec

from marketplace.cli.telling import tell_problem
from marketplace.errors import Problem

COMMANDS = {
    "serve": "serve",
    "worker": "serve",
    "demo": "demo",
    "db": "db",
    "policies": "policies",
    "catalog": "catalog",
    "query": "query",
    "table": "table",
    "offer": "offer",
    "harvest": "harvest",
    "audit": "audit",
    "ledger": "ledger",
    "invoices": "invoices",
    "subjects": "subjects",
    "months": "months",
    "doctor": "doctor",
}
"""Command → module of marketplace.cli that adds it by `add_parser`."""


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """The command line; only the module of `command` is imported if it is known, else all are."""
    root = argparse.ArgumentParser(
        prog="sandulieu", description="Sàn dữ liệu: một truy vấn, một quyết định, một giá, một bằng chứng."
    )
    subparsers = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = {COMMANDS[command]} if command in COMMANDS else dict.fromkeys(COMMANDS.values())
    for name in wanted:
        import_module(f"marketplace.cli.{name}").add_parser(subparsers)
    return root


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a refusal is told in both languages on standard error."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    given = sys.argv[1:] if arguments is None else arguments
    chosen = parser(given[0] if given else None).parse_args(given)
    run: Callable[[argparse.Namespace], int] = chosen.func
    try:
        return run(chosen)
    except Problem as problem:
        tell_problem(problem)
        return 1
    except msgspec.ValidationError as wrong:
        print(f"{wrong}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
