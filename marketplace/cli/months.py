"""`sandulieu months show|close` on this home's books, `propose|accept|refuse` as a person (SANDULIEU_TOKEN)."""

from __future__ import annotations

import argparse
import asyncio
from functools import partial

import msgspec

from marketplace.cli.client import from_environment
from marketplace.cli.home_database import home_database
from marketplace.cli.refusals import tell_refusal
from marketplace.closing.reads import list_months
from marketplace.closing.schemas import MonthList, MonthView
from marketplace.closing.walk import close_months, due
from marketplace.config import Config, load
from marketplace.db.base import utcnow
from marketplace.invoices.closing import AT_ONCE
from marketplace.payments.readers import hear_outside

CONNECTIONS = AT_ONCE + 3


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """months show, close, propose, accept, refuse."""
    verbs = subparsers.add_parser("months").add_subparsers(dest="verb", required=True)
    for name, verb in (("show", _show), ("close", _close)):
        parser = verbs.add_parser(name)
        parser.set_defaults(func=verb)
    for name, decision in (("propose", None), ("accept", "accept"), ("refuse", "refuse")):
        parser = verbs.add_parser(name)
        parser.add_argument("period")
        parser.add_argument("difference" if decision is None else "proposal")
        parser.add_argument("--reason", required=True)
        parser.set_defaults(func=_propose if decision is None else _decide, decision=decision)


def _propose(chosen: argparse.Namespace) -> int:
    return _send(chosen, "", {"difference": chosen.difference, "reason": chosen.reason})


def _decide(chosen: argparse.Namespace) -> int:
    path = f"/{chosen.proposal}/decision"
    return _send(chosen, path, {"decision": chosen.decision, "reason": chosen.reason})


def _send(chosen: argparse.Namespace, path: str, body: dict[str, str]) -> int:
    answer = from_environment().post(f"/api/v1/months/{chosen.period}/acceptances{path}", body)
    if not answer.ok:
        return tell_refusal(answer)
    _print(msgspec.json.decode(answer.body, type=MonthList), as_json=chosen.json)
    return 0


def _show(chosen: argparse.Namespace) -> int:
    return asyncio.run(_tell(load(), close=False, as_json=chosen.json))


def _close(chosen: argparse.Namespace) -> int:
    return asyncio.run(_tell(load(), close=True, as_json=chosen.json))


async def _tell(config: Config, *, close: bool, as_json: bool) -> int:
    """0 if nothing is stuck; of `close`: if nothing is left to close."""
    async with home_database(config, connections=CONNECTIONS) as database:
        if close:
            await close_months(database, config, partial(hear_outside, config, whole=True), at=utcnow(), now=True)
        async with database.reading() as session:
            left = await due(session, config, at=utcnow())
            months = await list_months(session, due=left)
    _print(months, as_json=as_json)
    stuck = any(month.state == "stuck" for month in months.items)
    return 1 if stuck or (close and left) else 0


def _print(months: MonthList, *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(months).decode())
        return
    for month in months.items:
        _print_month(month)
    if not months.items:
        print("chưa có tháng nào kết thúc / no month is over yet")


def _print_month(month: MonthView) -> None:
    print(f"{month.period}  {month.state}")
    for step in month.steps:
        figures = "  ".join(f"{name}={value}" for name, value in step.told.items() if name != "named")
        print(f"  {step.step:<14}{step.state:<8}{figures}".rstrip())
        if step.problem is not None:
            for said in step.problem.messages.values():
                print(f"    {said.what} {said.why} {said.next}")
        for each in step.differences:
            print(f"    {each.key}  {each.said}")
    for one in month.acceptances:
        print(f"  {one.id}  {one.state:<9} {one.key}  {one.rule} {one.subject}: {one.expected} ≠ {one.found}")
        print(f"    {one.reason}")
