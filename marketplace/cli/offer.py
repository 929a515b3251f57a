"""`sandulieu offer list|make|retire` against a running service (SANDULIEU_URL, SANDULIEU_TOKEN)."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from marketplace.cli.client import from_environment
from marketplace.cli.refusals import tell_answer


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """offer list, offer make, offer retire."""
    verbs = subparsers.add_parser("offer").add_subparsers(dest="verb", required=True)
    listed = verbs.add_parser("list")
    listed.add_argument("dataset")
    listed.set_defaults(func=list_offers)
    make = verbs.add_parser("make")
    make.add_argument("dataset")
    make.add_argument("file", type=Path)
    make.set_defaults(func=make_offer)
    retire = verbs.add_parser("retire")
    retire.add_argument("id")
    retire.set_defaults(func=retire_offer)


def list_offers(chosen: argparse.Namespace) -> int:
    """By name, the newest version first."""
    return tell_answer(from_environment().get(f"/api/v1/datasets/{chosen.dataset}/offers"), chosen, _line)


def make_offer(chosen: argparse.Namespace) -> int:
    """Send the file, and print what came of it."""
    try:
        body = json.loads(chosen.file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as wrong:
        print(f"Không đọc được / cannot read: {wrong}", file=sys.stderr)
        return 2
    return tell_answer(from_environment().post(f"/api/v1/datasets/{chosen.dataset}/offers", body), chosen, _line)


def retire_offer(chosen: argparse.Namespace) -> int:
    """By id."""
    return tell_answer(from_environment().post(f"/api/v1/offers/{chosen.id}/retire", {}), chosen, _line)


def _line(offer: dict[str, Any]) -> str:
    priced = {name: value for name, value in offer["terms"].items() if value}
    terms = ", ".join(f"{name} {json.dumps(value)}" for name, value in priced.items()) or "miễn phí / free"
    to = offer["startup_name"] or "mọi doanh nghiệp / every startup"
    return f"{offer['id']}  {offer['name']} v{offer['number']}  {offer['state']}  {to}  {terms}"
