"""`sandulieu db migrate|status`."""

from __future__ import annotations

import argparse

import msgspec

from marketplace.config import load
from marketplace.db.migrate import status, upgrade


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """db migrate, db status."""
    verbs = subparsers.add_parser("db").add_subparsers(dest="verb", required=True)
    for name in ("migrate", "status"):
        verb = verbs.add_parser(name)
        verb.set_defaults(func=run)


def run(chosen: argparse.Namespace) -> int:
    """Migrate or tell the state; exit 1 when the schema is behind."""
    config = load()
    if chosen.verb == "migrate":
        upgrade(config)
    state = status(config)
    told = msgspec.json.encode(state).decode()
    print(told if chosen.json else f"applied {state.current or '-'}, newest {state.newest}")
    return 0 if state.up_to_date else 1
