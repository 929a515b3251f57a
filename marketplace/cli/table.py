"""`sandulieu table add|list|remove` against a running service (SANDULIEU_URL, SANDULIEU_TOKEN)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from marketplace.cli.client import from_environment
from marketplace.cli.refusals import tell_answer

PATH = "/api/v1/tables"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """table add, table list, table remove."""
    verbs = subparsers.add_parser("table").add_subparsers(dest="verb", required=True)
    add = verbs.add_parser("add")
    add.add_argument("name")
    add.add_argument("file", type=Path)
    add.set_defaults(func=add_table)
    listed = verbs.add_parser("list")
    listed.set_defaults(func=list_tables)
    remove = verbs.add_parser("remove")
    remove.add_argument("id")
    remove.set_defaults(func=remove_table)


def add_table(chosen: argparse.Namespace) -> int:
    """Send it, and print its id and its columns with the types that were found."""
    if not chosen.file.is_file():
        print(f"{chosen.file}: không có tệp / no such file", file=sys.stderr)
        return 2
    return tell_answer(from_environment().upload(PATH, name=chosen.name, file=chosen.file), chosen, _line)


def list_tables(chosen: argparse.Namespace) -> int:
    """By name."""
    return tell_answer(from_environment().get(PATH), chosen, _line)


def remove_table(chosen: argparse.Namespace) -> int:
    """By id."""
    return tell_answer(from_environment().delete(f"{PATH}/{chosen.id}"), chosen)


def _line(table: dict[str, Any]) -> str:
    columns = ", ".join(f"{column['name']} {column['type']}" for column in table["columns"])
    return f"{table['id']}  {table['name']}  {table['rows']:,} dòng/rows  ({columns})"
