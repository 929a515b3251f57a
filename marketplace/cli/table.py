"""`sandulieu table add|list|remove` against a running service (SANDULIEU_URL, SANDULIEU_TOKEN)."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from marketplace.cli.client import Answer, from_environment

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
    for verb in (add, listed, remove):
        verb.add_argument("--json", action="store_true")


def add_table(chosen: argparse.Namespace) -> int:
    """Send it, and print its id and its columns with the types that were found."""
    if not chosen.file.is_file():
        print(f"{chosen.file}: không có tệp / no such file", file=sys.stderr)
        return 2
    answer = from_environment().upload(PATH, name=chosen.name, file=chosen.file)
    return _told(answer, chosen, [answer.json()] if answer.ok else [])


def list_tables(chosen: argparse.Namespace) -> int:
    """By name."""
    answer = from_environment().get(PATH)
    return _told(answer, chosen, answer.json()["items"] if answer.ok else [])


def remove_table(chosen: argparse.Namespace) -> int:
    """By id."""
    answer = from_environment().delete(f"{PATH}/{chosen.id}")
    return _told(answer, chosen, [])


def _told(answer: Answer, chosen: argparse.Namespace, tables: list[dict[str, Any]]) -> int:
    if not answer.ok:
        for said in answer.json()["messages"].values():
            print(" ".join(said.values()), file=sys.stderr)
        return 1
    if chosen.json:
        print(answer.body.decode() or json.dumps(None))
        return 0
    for table in tables:
        columns = ", ".join(f"{column['name']} {column['type']}" for column in table["columns"])
        print(f"{table['id']}  {table['name']}  {table['rows']:,} dòng/rows  ({columns})")
    return 0
