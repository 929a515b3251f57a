"""`sandulieu invoices list|show|send|correct` against a running service (SANDULIEU_URL, SANDULIEU_TOKEN)."""

from __future__ import annotations

import argparse
import json
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from marketplace.cli.client import Answer, Client, from_environment
from marketplace.cli.refusals import tell_answer, tell_refusal

Verbs = argparse._SubParsersAction  # argparse has no public name for what add_subparsers gives
OFFICE = ("unsigned", "waiting", "coded", "refused")


def add_verbs(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """invoices list, show, send, correct."""
    listed = verbs.add_parser("list")
    listed.add_argument("--period", metavar="YYYY-MM")
    listed.add_argument("--office", choices=OFFICE)
    show = verbs.add_parser("show")
    send = verbs.add_parser("send")
    correct = verbs.add_parser("correct")
    for verb in (show, send, correct):
        verb.add_argument("id")
    correct.add_argument("--name", required=True)
    code = correct.add_mutually_exclusive_group(required=True)
    code.add_argument("--tax-code")
    code.add_argument("--no-tax-code", action="store_true")
    correct.add_argument("--why", required=True)
    for verb, run in ((listed, _list), (show, _show), (send, _send), (correct, _correct)):
        verb.set_defaults(func=run)


def _list(chosen: argparse.Namespace) -> int:
    asked = {"period": chosen.period, "office": chosen.office}
    pages = _pages(from_environment(), {name: value for name, value in asked.items() if value})
    items: list[dict[str, Any]] = []
    for answer in pages:
        if not answer.ok:
            return tell_refusal(answer)
        items += answer.json()["items"]
    if chosen.json:
        print(json.dumps({"items": items}, ensure_ascii=False))
        return 0
    for one in items:
        sign = "-" if one["kind"] == "credit_note" else ""
        amount = f"{sign}{one['gross_vnd']:,}"
        print(f"{one['id']}  {one['number']}  {one['office']:<8}  {amount:>18} đ  {one['buyer_name']}")
    print(f"{len(items)} chứng từ / documents")
    return 0


def _pages(client: Client, asked: dict[str, str]) -> Iterator[Answer]:
    while True:
        answer = client.get(f"/api/v1/invoices/issued?{urlencode(asked)}")
        yield answer
        if not answer.ok or answer.json()["next"] is None:
            return
        asked = asked | {"cursor": answer.json()["next"]}


def _show(chosen: argparse.Namespace) -> int:
    return tell_answer(from_environment().get(f"/api/v1/invoices/{chosen.id}/einvoice"), chosen, _standing)


def _send(chosen: argparse.Namespace) -> int:
    answer = from_environment().post(f"/api/v1/invoices/{chosen.id}/einvoice/retry", {})
    return tell_answer(answer, chosen, _standing)


def _correct(chosen: argparse.Namespace) -> int:
    body = {"buyer_name": chosen.name, "buyer_tax_code": chosen.tax_code, "why": chosen.why}
    path = f"/api/v1/invoices/{chosen.id}/corrections"
    return tell_answer(from_environment().post(path, body, idempotency_key=str(uuid.uuid4())), chosen, _correction)


def _correction(one: dict[str, Any]) -> str:
    return f"{one['edition']}  {one['number']}  {one['made_at']}  {one['made_by']}: {one['why']}"


def _standing(one: dict[str, Any]) -> str:
    said = [f"{one['invoice_id']}  {one['state']}", f"attempts={one['attempts']}"]
    said += [f"{name}={one[name]}" for name in ("code", "refusal", "trouble", "fault") if one[name]]
    return "  ".join(said)
