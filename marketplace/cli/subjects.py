"""`sandulieu subjects erase` against a running service (SANDULIEU_URL, SANDULIEU_TOKEN)."""

from __future__ import annotations

import argparse

import msgspec

from marketplace.cli.client import from_environment
from marketplace.cli.refusals import tell_refusal


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """subjects erase."""
    verbs = subparsers.add_parser("subjects").add_subparsers(dest="verb", required=True)
    erase = verbs.add_parser("erase")
    erase.add_argument("person")
    erase.set_defaults(func=run)


def run(chosen: argparse.Namespace) -> int:
    """Again is harmless; 1 where the service refuses."""
    answer = from_environment().post(f"/api/v1/people/{chosen.person}/erase", {})
    if not answer.ok:
        return tell_refusal(answer)
    told = f"✓ đã xóa / erased: {chosen.person}"
    print(msgspec.json.encode({"person": chosen.person, "erased": True}).decode() if chosen.json else told)
    return 0
