"""`sandulieu harvest add|list|run|stop|report` against a running service (SANDULIEU_URL, SANDULIEU_TOKEN)."""

from __future__ import annotations

import argparse
from typing import Any

from marketplace.cli.client import from_environment
from marketplace.cli.refusals import tell_answer

PATH = "/api/v1/harvest/sources"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """harvest add, list, run, stop, report."""
    verbs = subparsers.add_parser("harvest").add_subparsers(dest="verb", required=True)
    add = verbs.add_parser("add")
    add.add_argument("url")
    add.add_argument("--kind", choices=("ckan", "dcat", "data_json"), required=True)
    add.add_argument("--name", required=True)
    add.add_argument("--every-hours", type=int, default=24)
    add.set_defaults(func=add_source)
    listed = verbs.add_parser("list")
    listed.set_defaults(func=list_sources)
    for name, function in (("run", run_source), ("stop", stop_source), ("report", report)):
        verb = verbs.add_parser(name)
        verb.add_argument("id")
        verb.set_defaults(func=function)


def add_source(chosen: argparse.Namespace) -> int:
    """Prints it with its id."""
    asked = {"url": chosen.url, "kind": chosen.kind, "name": chosen.name, "every_hours": chosen.every_hours}
    return tell_answer(from_environment().post(PATH, asked), chosen, _line)


def list_sources(chosen: argparse.Namespace) -> int:
    """By name."""
    return tell_answer(from_environment().get(PATH), chosen, _line)


def run_source(chosen: argparse.Namespace) -> int:
    """It is due; `report` tells what came of it."""
    return tell_answer(from_environment().post(f"{PATH}/{chosen.id}/runs", {}), chosen)


def stop_source(chosen: argparse.Namespace) -> int:
    """By id."""
    return tell_answer(from_environment().delete(f"{PATH}/{chosen.id}"), chosen)


def report(chosen: argparse.Namespace) -> int:
    """Newest first, with what was refused and why."""
    return tell_answer(from_environment().get(f"{PATH}/{chosen.id}/runs"), chosen, _line)


def _line(row: dict[str, Any]) -> str:
    return "  ".join(f"{name}={value}" for name, value in row.items() if value not in (None, [], ""))
