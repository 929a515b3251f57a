"""The `sandulieu` command. Exit: 0 ok, 1 refused or failed, 2 usage."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

import msgspec

from marketplace.cli.command_line import CommandLine, give_words
from marketplace.cli.telling import tell_problem
from marketplace.cli.troubles import tell_trouble, write_what_can_be_written
from marketplace.errors import Problem

COMMANDS = {
    "serve": "serve",
    "worker": "serve",
    "demo": "demo",
    "db": "db",
    "policies": "policies",
    "query": "query",
    "table": "table",
    "offer": "offer",
    "harvest": "harvest",
    "audit": "audit",
    "ledger": "ledger",
    "invoices": "invoices",
    "people": "people",
    "subjects": "subjects",
    "months": "months",
    "doctor": "doctor",
}
"""Command → module of marketplace.cli that adds it by `add_parser`."""
CATALOG = {
    "init": "catalog_init",
    "check": "catalog_check",
    "optimise": "optimise",
    "detect": "detect",
    "suite": "suite",
    "publish": "catalog_publish",
    "show": "catalog_shown",
    "search": "catalog_shown",
    "together": "combination",
    "consents": "consents",
}
"""Verb of `catalog` → module that adds it: those that need no database need not wait for its libraries."""


def parser(given: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The command line; only the modules of the command that begins `given` are imported if it is known."""
    root: argparse.ArgumentParser = CommandLine(prog="sandulieu")
    root.add_argument("--version", action=_Version, nargs=0)
    subparsers = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = next(iter(given), "")
    if command != "catalog":
        _add(subparsers, COMMANDS, command)
    if command not in COMMANDS:
        catalog = subparsers.add_parser("catalog")
        verbs = catalog.add_subparsers(dest="verb", required=True, metavar="VERB")
        _add(verbs, CATALOG, next(iter(given[1:]), ""))
    give_words(root)
    return root


class _Version(argparse.Action):
    """Looked up when it is asked for: it takes as long as a small command."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"sandulieu {version('sandulieu')}")
        parser.exit()


def _add(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], modules: dict[str, str], wanted: str
) -> None:
    """The module of `wanted` if it is known, else all."""
    for name in (modules[wanted],) if wanted in modules else dict.fromkeys(modules.values()):
        import_module(f"marketplace.cli.{name}").add_parser(subparsers)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a refusal is told in both languages on standard error."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    write_what_can_be_written()
    given = sys.argv[1:] if arguments is None else arguments
    chosen = parser(given).parse_args(given)
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
    except BrokenPipeError:
        # Whoever reads has seen enough (`| head`); what Python would still flush goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if not tell_trouble(error):
            raise
        return 1


if __name__ == "__main__":
    sys.exit(main())
