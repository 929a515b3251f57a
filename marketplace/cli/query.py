"""`sandulieu query quote|run|show|receipt` against a running service (SANDULIEU_URL, SANDULIEU_TOKEN)."""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.parse
import uuid
from pathlib import Path
from typing import Any

from marketplace.audit.errors import ReceiptPending
from marketplace.cli.client import Client, from_environment
from marketplace.cli.refusals import tell_refusal
from marketplace.cli.terminal_table import table
from marketplace.cli.troubles import require_writable

FORMATS = {"json": "application/json", "csv": "text/csv", "arrow": "application/vnd.apache.arrow.stream",
           "parquet": "application/vnd.apache.parquet"}  # fmt: skip
FIRST_WAIT_S = 5
"""Short: an interrupted query can be cancelled only after the service has told its id."""
POLL_S = 1.0
RECEIPT_TRIES = 30
"""A receipt follows its query within a second; in a minute with the log's store away it does not."""
_GOING = ("queued", "running")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """query quote, query run, query show, query receipt."""
    queries = subparsers.add_parser("query")
    verbs = queries.add_subparsers(dest="verb", required=True)
    for name in ("quote", "run"):
        verb = verbs.add_parser(name)
        verb.add_argument("sql")
        verb.add_argument("--agreement", required=True, metavar="ID", action="append")
        verb.add_argument("--purpose", required=True)
        verb.add_argument("--max-vnd", type=int)
        verb.add_argument(
            "--rho-micro",
            type=int,
            metavar="N",
        )
        verb.set_defaults(func=quote if name == "quote" else run)
        if name == "run":
            verb.add_argument("--yes", action="store_true")
            verb.add_argument("--key")
            _output_options(verb)
    show = verbs.add_parser("show")
    show.add_argument("id")
    _output_options(show)
    show.set_defaults(func=show_query)
    receipt = verbs.add_parser(
        "receipt",
    )
    receipt.add_argument("id")
    receipt.add_argument("--dataset-id", metavar="ID")
    form = receipt.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--proof", action="store_true")
    receipt.add_argument("--output", type=Path)
    receipt.set_defaults(func=fetch_receipt)


def _output_options(verb: argparse.ArgumentParser) -> None:
    forms = ["table", *sorted(FORMATS)]
    verb.add_argument("--format", choices=forms)
    verb.add_argument("--output", type=Path)


def _ask(chosen: argparse.Namespace) -> dict[str, Any]:
    sql = sys.stdin.read() if chosen.sql == "-" else chosen.sql
    asked = {"agreement_ids": chosen.agreement, "purpose": chosen.purpose, "sql": sql}
    bounds = {"max_vnd": chosen.max_vnd, "rho_micro": chosen.rho_micro}
    return asked | {name: value for name, value in bounds.items() if value is not None}


def quote(chosen: argparse.Namespace) -> int:
    """Print price and columns, or every reason against it."""
    asked = _ask(chosen)
    answer = from_environment().post("/api/v1/queries/quote", asked)
    if not answer.ok:
        return tell_refusal(answer, asked["sql"])
    told = answer.json()
    print(json.dumps(told, ensure_ascii=False) if chosen.json else _price(told))
    return 0


def _price(told: dict[str, Any]) -> str:
    lines = [f"{told['quote_vnd']:,} đ"]
    for line in told["lines"]:
        reads = ", ".join(line["reads"]) or "-"
        lines.append(f"  {line['dataset']}: {line['quote_vnd']:,} đ  ({line['bytes']:,} bytes: {reads})")
    if privacy := told["privacy"]:
        lines.append(f"  ρ {privacy['rho_micro']:,}/{privacy['left_micro']:,} µ  (ε {privacy['epsilon']})")
        lines += [f"  {margin['column']}: ± {margin['margin']:,.4g}" for margin in privacy["margins"]]
    return "\n".join(lines)


def run(chosen: argparse.Namespace) -> int:
    """Tell the price on standard error, ask on a terminal, run at no more than it, wait, and print the answer."""
    if _is_unreadable(chosen):
        print(f"--format {chosen.format} --output FILE", file=sys.stderr)
        return 2
    if chosen.output:
        require_writable(chosen.output)
    client, asked = from_environment(), _ask(chosen)
    quoted = client.post("/api/v1/queries/quote", asked)
    if not quoted.ok:
        return tell_refusal(quoted, asked["sql"])
    told = quoted.json()
    if not chosen.json:
        print(_price(told), file=sys.stderr)
        if not (chosen.yes or _agreed()):
            return 1
    asked |= {"quote_id": told["id"], "max_vnd": told["quote_vnd"], "wait_s": FIRST_WAIT_S}
    answer = client.post("/api/v1/queries", asked, idempotency_key=chosen.key or str(uuid.uuid4()))
    if not answer.ok:
        return tell_refusal(answer, asked["sql"])
    return _show(_ended(client, answer.json()), chosen, default="table" if sys.stdout.isatty() else "csv")


def _is_unreadable(chosen: argparse.Namespace) -> bool:
    return chosen.format in ("arrow", "parquet") and chosen.output is None and sys.stdout.isatty()


def _agreed() -> bool:
    """Whether somebody says yes; where nobody can be asked, the command itself is the yes."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    print("Chạy với giá này? / Run at this price? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "c", "có")


def _ended(client: Client, query: dict[str, Any]) -> dict[str, Any]:
    """The query when it has ended. Interrupted, it is ended at the service too."""
    try:
        while query["state"] in _GOING:
            time.sleep(POLL_S)
            query = client.get(f"/api/v1/queries/{query['id']}").json()
    except KeyboardInterrupt:
        client.delete(f"/api/v1/queries/{query['id']}")
        raise
    return query


def show_query(chosen: argparse.Namespace) -> int:
    """State, price, decision; with --format the answer itself."""
    answer = from_environment().get(f"/api/v1/queries/{chosen.id}")
    return _show(answer.json(), chosen, default=None) if answer.ok else tell_refusal(answer)


def fetch_receipt(chosen: argparse.Namespace) -> int:
    """The receipt, byte for byte; waits for one that is on its way."""
    client, accept = from_environment(), "text/plain" if chosen.proof else "application/json"
    path = f"/api/v1/queries/{chosen.id}/receipt"
    if chosen.dataset_id:
        path += f"?dataset_id={urllib.parse.quote(chosen.dataset_id)}"
    fetched = client.get(path, accept=accept)
    for _ in range(RECEIPT_TRIES):
        if fetched.ok or fetched.json()["code"] != ReceiptPending.code:
            break
        time.sleep(POLL_S)
        fetched = client.get(path, accept=accept)
    return _kept(fetched.body, chosen.output) if fetched.ok else tell_refusal(fetched)


def _show(query: dict[str, Any], chosen: argparse.Namespace, *, default: str | None) -> int:
    if chosen.json:
        print(json.dumps(query, ensure_ascii=False))
        return 0 if query["state"] in ("ready", *_GOING) else 1
    print(f"{query['id']}  {query['state']}  {query['charged_vnd'] or 0:,} đ", file=sys.stderr)
    if query["failure"]:
        for said in query["failure"]["messages"].values():
            print(" ".join(said.values()), file=sys.stderr)
        return 1
    form = chosen.format or default
    if query["state"] != "ready" or form is None:
        return 0 if query["state"] in ("ready", *_GOING) else 1
    return _write(query, form, chosen.output)


def _write(query: dict[str, Any], form: str, output: Path | None) -> int:
    accept = FORMATS.get(form, FORMATS["json"])
    fetched = from_environment().get(f"/api/v1/queries/{query['id']}/result", accept=accept)
    if not fetched.ok:
        return tell_refusal(fetched)
    body = fetched.body
    if form == "table":
        names = [column["name"] for column in query["columns"]]
        body = (table(names, fetched.json()) + "\n").encode()
    return _kept(body, output)


def _kept(body: bytes, output: Path | None) -> int:
    if output:
        output.write_bytes(body)
    else:
        sys.stdout.buffer.write(body)
    return 0
