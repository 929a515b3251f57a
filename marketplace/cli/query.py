"""`sandulieu query quote|run|show` against a running service (SANDULIEU_URL, SANDULIEU_TOKEN)."""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from pathlib import Path
from typing import Any

from marketplace.cli.client import Answer, from_environment

FORMATS = {"json": "application/json", "csv": "text/csv", "arrow": "application/vnd.apache.arrow.stream",
           "parquet": "application/vnd.apache.parquet"}  # fmt: skip


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """query quote, query run, query show."""
    verbs = subparsers.add_parser("query", help="truy vấn / queries").add_subparsers(dest="verb", required=True)
    for name, told in (
        ("quote", "what it would cost and whether it is allowed"),
        ("run", "run it and print the answer"),
    ):
        verb = verbs.add_parser(name, help=told)
        verb.add_argument("sql", help="one SELECT; - reads it from standard input")
        verb.add_argument("--agreement", required=True, metavar="ID", action="append", help="one a dataset")
        verb.add_argument("--purpose", required=True)
        verb.add_argument("--max-vnd", type=int, help="refuse a price above this")
        verb.add_argument("--json", action="store_true")
        verb.set_defaults(func=quote if name == "quote" else run)
        if name == "run":
            verb.add_argument("--key", help="Idempotency-Key; made anew when absent")
            _output_options(verb)
    show = verbs.add_parser("show", help="state, price and decision of a query; --format fetches its answer")
    show.add_argument("id")
    show.add_argument("--json", action="store_true")
    _output_options(show)
    show.set_defaults(func=show_query)


def _output_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--format", choices=sorted(FORMATS), help="form of the answer (run: csv)")
    verb.add_argument("--output", type=Path, help="file for the answer, else standard output")


def _ask(chosen: argparse.Namespace) -> dict[str, Any]:
    sql = sys.stdin.read() if chosen.sql == "-" else chosen.sql
    asked = {"agreement_ids": chosen.agreement, "purpose": chosen.purpose, "sql": sql}
    return asked | ({"max_vnd": chosen.max_vnd} if chosen.max_vnd is not None else {})


def quote(chosen: argparse.Namespace) -> int:
    """Print price and columns, or every reason against it."""
    answer = from_environment().post("/api/v1/queries/quote", _ask(chosen))
    if not answer.ok:
        return _refused(answer)
    told = answer.json()
    if chosen.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(f"{told['quote_vnd']:,} đ")
        for line in told["lines"]:
            reads = ", ".join(line["reads"]) or "-"
            print(f"  {line['dataset']}: {line['quote_vnd']:,} đ  ({line['bytes']:,} bytes: {reads})")
    return 0


def run(chosen: argparse.Namespace) -> int:
    """Run, wait, and print the answer; the price goes to standard error."""
    client = from_environment()
    answer = client.post(
        "/api/v1/queries", _ask(chosen) | {"wait_s": 30}, idempotency_key=chosen.key or str(uuid.uuid4())
    )
    if not answer.ok:
        return _refused(answer)
    return _show(answer.json(), chosen, default="csv")


def show_query(chosen: argparse.Namespace) -> int:
    """State, price, decision; with --format the answer itself."""
    answer = from_environment().get(f"/api/v1/queries/{chosen.id}")
    return _show(answer.json(), chosen, default=None) if answer.ok else _refused(answer)


def _show(query: dict[str, Any], chosen: argparse.Namespace, *, default: str | None) -> int:
    if chosen.json:
        print(json.dumps(query, ensure_ascii=False))
        return 0 if query["state"] in ("ready", "running", "queued") else 1
    print(f"{query['id']}  {query['state']}  {query['charged_vnd'] or 0:,} đ", file=sys.stderr)
    if query["failure"]:
        for said in query["failure"]["messages"].values():
            print(" ".join(said.values()), file=sys.stderr)
        return 1
    form = chosen.format or default
    if query["state"] != "ready" or form is None:
        return 0 if query["state"] != "denied" else 1
    fetched = from_environment().get(f"/api/v1/queries/{query['id']}/result", accept=FORMATS[form])
    if not fetched.ok:
        return _refused(fetched)
    if chosen.output:
        chosen.output.write_bytes(fetched.body)
    else:
        sys.stdout.buffer.write(fetched.body)
    return 0


def _refused(answer: Answer) -> int:
    """What happened, why and what next, in both languages; then every reason with its own text."""
    problem = answer.json()
    print(f"{answer.status} {problem['code']}", file=sys.stderr)
    told = [problem, *problem.get("reasons", ())]
    for one in told:
        messages = one.get("messages") or {"vi": one["message"]}
        for said in messages.values():
            print("  " + " ".join(said[part] for part in ("what", "why", "next")), file=sys.stderr)
    return 1
