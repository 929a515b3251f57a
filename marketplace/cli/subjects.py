"""`sandulieu subjects erase` against a running service (SANDULIEU_URL, SANDULIEU_TOKEN)."""

from __future__ import annotations

import argparse

import msgspec

from marketplace.cli.client import from_environment
from marketplace.cli.refusals import tell_refusal


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """subjects erase."""
    verbs = subparsers.add_parser("subjects", help="người có dữ liệu / whom data is about").add_subparsers(
        dest="verb", required=True
    )
    erase = verbs.add_parser(
        "erase", help="xóa tên và thư của một người / erase a person's name and e-mail, the log included"
    )
    erase.add_argument("person", help="mã của người đó / the person's id")
    erase.add_argument("--json", action="store_true")
    erase.set_defaults(func=run)


def run(chosen: argparse.Namespace) -> int:
    """Again is harmless; 1 where the service refuses."""
    answer = from_environment().post(f"/api/v1/people/{chosen.person}/erase", {})
    if not answer.ok:
        return tell_refusal(answer)
    told = f"✓ đã xóa / erased: {chosen.person}"
    print(msgspec.json.encode({"person": chosen.person, "erased": True}).decode() if chosen.json else told)
    return 0
