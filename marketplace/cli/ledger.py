"""`sandulieu ledger balance|reconcile|close`."""

from __future__ import annotations

import argparse
import asyncio

import msgspec

from marketplace.cli.command_line import words
from marketplace.cli.home_database import home_database
from marketplace.config import Config, load
from marketplace.ledger.errors import PeriodMalformed
from marketplace.ledger.periods import close_period, end_of
from marketplace.ledger.reads import TrialBalance, trial_balance
from marketplace.ledger.reconcile import Difference, reconcile
from marketplace.payments.readers import hear_outside


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """ledger balance, ledger reconcile, ledger close."""
    verbs = subparsers.add_parser("ledger").add_subparsers(dest="verb", required=True)
    for name, verb in (("balance", _balance), ("reconcile", _reconcile)):
        parser = verbs.add_parser(name)
        if name == "reconcile":
            parser.add_argument("--whole", action="store_true")
        parser.set_defaults(func=verb)
    parser = verbs.add_parser("close")
    parser.add_argument("--period", required=True, type=_period)
    parser.set_defaults(func=_close)


def _period(given: str) -> str:
    try:
        end_of(given)
    except PeriodMalformed as e:
        raise argparse.ArgumentTypeError(f"{given}: YYYY-MM") from e
    return given


def _balance(chosen: argparse.Namespace) -> int:
    return asyncio.run(_tell_balance(load(), as_json=chosen.json))


def _close(chosen: argparse.Namespace) -> int:
    return asyncio.run(_tell_closing(load(), chosen.period, as_json=chosen.json))


def _reconcile(chosen: argparse.Namespace) -> int:
    return asyncio.run(_tell_differences(load(), as_json=chosen.json, whole=chosen.whole))


async def _tell_balance(config: Config, *, as_json: bool) -> int:
    async with home_database(config) as database, database.snapshot() as session:
        balance = await trial_balance(session)
    if as_json:
        print(msgspec.json.encode(balance).decode())
    else:
        _print_balance(balance)
    return 0 if balance.balanced else 1


def _print_balance(balance: TrialBalance) -> None:
    """A line an account, then the totals of each currency, then what the columns are."""
    width = max((len(line.kind) for line in balance.lines), default=0) + 2
    width = max(width, len("tài khoản / account"))
    print(f"{'tài khoản / account':<{width}}{'nợ / debits':>18}{'có / credits':>18}{'tạm giữ / held':>18}")
    for line in balance.lines:
        figures = f"{line.debits_posted:>18,}{line.credits_posted:>18,}{line.debits_pending:>18,}"
        print(f"{line.kind:<{width}}{figures} {line.currency}  {line.organisation}".rstrip())
    for total in balance.totals:
        print(f"{'tổng / total':<{width}}{total.debits:>18,}{total.credits:>18,}{'':>18} {total.currency}")
    print(*words()["ledger balance legend"].values(), sep="\n")
    print("cân bằng / in balance" if balance.balanced else "KHÔNG cân bằng / NOT in balance")


async def _tell_closing(config: Config, period: str, *, as_json: bool) -> int:
    async with home_database(config) as database:
        closing = await close_period(database, period)
    if as_json:
        print(msgspec.json.encode(closing).decode())
        return 0
    for total in closing.totals:
        print(f"{total.debits:>22,}{total.credits:>22,} {total.currency}")
    print(f"{period}: {closing.transfers:,} bút toán / transfers, sha256 {closing.hash}")
    print("đã khóa sổ từ trước / was closed before" if closing.already else "đã khóa sổ / closed")
    return 0


async def _tell_differences(config: Config, *, as_json: bool, whole: bool) -> int:
    async with home_database(config) as database:
        outside = await hear_outside(config, database, whole=whole)
        async with database.snapshot() as session:
            differences = await reconcile(session, config.hold_lifetime_s, outside)
    if as_json:
        print(msgspec.json.encode(differences).decode())
    else:
        for difference in differences:
            print(_line(difference))
        print("khớp / agrees" if not differences else f"{len(differences)} khác / differences")
    return 1 if differences else 0


def _line(difference: Difference) -> str:
    """The rule, which query and which transfer, expected ≠ found."""
    of = (("query", difference.query_id), ("transfer", difference.transfer_id), ("account", difference.account_id))
    named = [f"{name} {key}" for name, key in of if key is not None] or [difference.subject]
    return f"{difference.check}: {', '.join(named)}: {difference.expected} ≠ {difference.found}"
