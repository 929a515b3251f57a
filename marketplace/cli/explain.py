"""`sandulieu policies explain` against a running service: each gate, and why it holds or does not."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from marketplace.cli.client import Client, from_environment
from marketplace.cli.refusals import tell_refusal

SIGN = {True: "✓", False: "✗", None: "·"}


def add_explain(verbs: Any) -> None:
    """policies explain."""
    parser = verbs.add_parser("explain")
    parser.add_argument("--agreement", required=True, metavar="ID")
    parser.add_argument("--sql", required=True)
    parser.add_argument("--purpose")
    parser.set_defaults(func=_explain)


def _explain(chosen: argparse.Namespace) -> int:
    client = from_environment()
    sql = sys.stdin.read() if chosen.sql == "-" else chosen.sql
    purpose = chosen.purpose or _agreed(client, chosen.agreement)
    asked = {"agreement_ids": [chosen.agreement], "purpose": purpose, "sql": sql}
    answer = client.post("/api/v1/queries/explain", asked)
    if not answer.ok:
        return tell_refusal(answer, sql)
    told = answer.json()
    print(json.dumps(told, ensure_ascii=False) if chosen.json else "\n".join(_lines(told)))
    return 0 if told["decision"]["allow"] else 1


def _agreed(client: Client, agreement_id: str) -> str:
    """The purpose of the agreement; whatever is wrong with it, the explanation itself says."""
    answer = client.get(f"/api/v1/agreements/{agreement_id}")
    return str(answer.json()["purpose"]) if answer.ok else "-"


def _lines(told: dict[str, Any]) -> list[str]:
    lines = []
    for gate in told["gates"]:
        text, law = gate["text"], ", ".join(gate["law"])
        lines.append(f"{SIGN[gate['holds']]} {gate['code']}  {text['vi']} / {text['en']}  [{law}]")
        lines += [f"    {fact['name']} = {json.dumps(fact['value'], ensure_ascii=False)}"
                  for fact in gate["facts"] if fact["shown"]]  # fmt: skip
        lines += _said("    ", gate["messages"])
        lines += _said("    → ", gate["remedies"])
    allowed = told["decision"]["allow"]
    return [
        *lines,
        *_said("✗ ", told["messages"]),
        *_said("→ ", [step["messages"] for step in told["nearest"]]),
        "✓ được phép / allowed" if allowed else "✗ bị từ chối / denied",
    ]


def _said(before: str, messages: list[dict[str, dict[str, str]]]) -> list[str]:
    return [f"{before}{' '.join(said.values())}" for each in messages for said in each.values()]
