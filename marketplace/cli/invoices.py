"""`sandulieu invoices close` on this home's books; the other verbs are in einvoices."""

from __future__ import annotations

import argparse
import asyncio

import msgspec

from marketplace.cli.einvoices import add_verbs
from marketplace.cli.home_database import home_database
from marketplace.config import Config, load
from marketplace.db.base import utcnow
from marketplace.invoices.closing import AT_ONCE, close_month
from marketplace.invoices.document import Document


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """invoices close, list, show, send, correct."""
    verbs = subparsers.add_parser("invoices").add_subparsers(dest="verb", required=True)
    close = verbs.add_parser("close")
    close.add_argument("--period", required=True, metavar="YYYY-MM")
    close.set_defaults(func=_close)
    add_verbs(verbs)


def _close(chosen: argparse.Namespace) -> int:
    issued = asyncio.run(_issue(load(), chosen.period))
    if chosen.json:
        heads = [
            {
                "id": each.id,
                "number": each.name,
                "organisation_id": each.organisation_id,
                "gross_vnd": each.gross_vnd,
            }
            for each in issued
        ]
        print(msgspec.json.encode({"period": chosen.period, "issued": heads}).decode())
        return 0
    for each in issued:
        print(f"{each.name}  {each.gross_vnd:>18,} đ  {each.buyer.name}")
    total = sum(each.gross_vnd for each in issued)
    print(f"{len(issued)} hóa đơn / invoices, {total:,} đ")
    return 0


async def _issue(config: Config, period: str) -> tuple[Document, ...]:
    async with home_database(config, connections=AT_ONCE + 1) as database:
        return await close_month(database, period=period, at=utcnow(), close_after_s=config.invoice_close_after_s)
