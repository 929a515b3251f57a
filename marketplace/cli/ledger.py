"""`sandulieu ledger balance|reconcile`."""

from __future__ import annotations

import argparse
import asyncio

import msgspec

from marketplace.config import Config, load
from marketplace.db.engine import Database, database_url
from marketplace.ledger.reads import reconcile, trial_balance


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """ledger balance, ledger reconcile."""
    verbs = subparsers.add_parser("ledger", help="sổ cái / ledger").add_subparsers(dest="verb", required=True)
    for name, verb, told in (
        ("balance", _balance, "trial balance: debits equal credits, a line an account"),
        ("reconcile", _reconcile, "compare ledger, usage and balances; name each difference"),
    ):
        parser = verbs.add_parser(name, help=told)
        parser.add_argument("--json", action="store_true")
        parser.set_defaults(func=verb)


def _balance(chosen: argparse.Namespace) -> int:
    return asyncio.run(_tell_balance(load(), as_json=chosen.json))


def _reconcile(chosen: argparse.Namespace) -> int:
    return asyncio.run(_tell_differences(load(), as_json=chosen.json))


async def _tell_balance(config: Config, *, as_json: bool) -> int:
    database = Database(database_url(config), connections=1)
    async with database.session() as session:
        balance = await trial_balance(session)
    await database.close()
    print(msgspec.json.encode(balance).decode() if as_json else balance)
    return 0


async def _tell_differences(config: Config, *, as_json: bool) -> int:
    database = Database(database_url(config), connections=1)
    async with database.session() as session:
        differences = await reconcile(session)
    await database.close()
    if as_json:
        print(msgspec.json.encode(differences).decode())
    else:
        for difference in differences:
            print(difference)
        print("khớp / agrees" if not differences else f"{len(differences)} khác / differences")
    return 1 if differences else 0
