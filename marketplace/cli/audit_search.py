"""`sandulieu audit search|download` against a running service (SANDULIEU_URL, SANDULIEU_TOKEN)."""

from __future__ import annotations

import argparse
import contextlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from marketplace.calendar import VIETNAM, bound
from marketplace.cli.client import from_environment
from marketplace.cli.refusals import tell_refusal
from marketplace.cli.terminal_table import printable, table

FILTERS = {
    "q": "q", "name": "name", "dataset_id": "dataset_id", "agreement_id": "agreement_id",
    "organisation": "organisation_id", "person": "person_id", "purpose": "purpose",
    "subject_class": "subject_class", "state_class": "state_class", "decision": "decision", "code": "code",
    "from": "since", "to": "until", "min_vnd": "min_vnd", "max_vnd": "max_vnd",
}  # fmt: skip
"""Name in the address → field of a search."""
AMOUNTS = ("min_vnd", "max_vnd")
INSTANTS = {"from": 0, "to": 1}
"""And how many days after its beginning a day is meant: both are included."""
SHOWN = ("at", "name", "purpose", "price_vnd", "leaf_index", "id")


def add_verbs(verbs: Any) -> None:
    """audit search, audit alerts, audit download."""
    search = verbs.add_parser("search")
    search.add_argument("--limit", type=int, default=50)
    search.set_defaults(func=_search)
    alerts = verbs.add_parser("alerts")
    alerts.add_argument("--answered", action="store_true")
    alerts.set_defaults(func=_alerts)
    download = verbs.add_parser("download")
    download.add_argument("file", type=Path)
    download.add_argument("--form", choices=("ndjson", "csv", "parquet"), default="ndjson")
    download.set_defaults(func=_download)
    for verb in (search, download):
        for name in FILTERS:
            verb.add_argument(f"--{name.replace('_', '-')}", dest=name, type=int if name in AMOUNTS else str)


def _asked(chosen: argparse.Namespace) -> dict[str, Any]:
    asked = {name: value for name in FILTERS if (value := getattr(chosen, name)) is not None}
    return asked | {name: _zoned(asked[name], days) for name, days in INSTANTS.items() if name in asked}


def _zoned(written: str, days: int) -> str:
    """A day, or an instant without a zone, is one of Viet Nam; `days`: after the beginning of a day. What is
    neither is for the service to refuse."""
    with contextlib.suppress(ValueError):
        return bound(written, days=days).isoformat()
    try:
        return datetime.fromisoformat(written).replace(tzinfo=VIETNAM).isoformat()
    except ValueError:
        return written


def _search(chosen: argparse.Namespace) -> int:
    asked = urlencode(_asked(chosen) | {"limit": chosen.limit})
    answer = from_environment().get(f"/api/v1/audit/events?{asked}")
    if not answer.ok:
        return tell_refusal(answer)
    items = answer.json()["items"]
    if chosen.json:
        print(json.dumps(answer.json(), ensure_ascii=False))
    else:
        print(table(SHOWN, [{**each, "at": _instant(each["at"])} for each in items]))
    return 0


def _alerts(chosen: argparse.Namespace) -> int:
    answer = from_environment().get(f"/api/v1/alerts?is_open={'false' if chosen.answered else 'true'}")
    if not answer.ok:
        return tell_refusal(answer)
    items = answer.json()["items"]
    if chosen.json:
        print(json.dumps(answer.json(), ensure_ascii=False))
    else:
        for each in items:
            _print_alert(each)
        print(f"{len(items)} cảnh báo / alerts")
    return 0


def _print_alert(alert: dict[str, Any]) -> None:
    """One line that says what it is and since when; then its id, and each thing that it says, by its name."""
    print(f"{_read(alert['raised_at'])}  {alert['rule']}")
    about = {name: alert[name] for name in ("id", "dataset_id", "organisation_id") if alert[name]}
    for name, value in (about | alert["told"]).items():
        print(f"    {name}: {printable(value)}")
    if alert["acknowledged_at"]:
        print(f"    acknowledged_at: {_read(alert['acknowledged_at'])}: {printable(alert['reason'])}")


def _instant(at_ms: int) -> str:
    """In Viet Nam's time, as on the page."""
    return datetime.fromtimestamp(at_ms / 1000, VIETNAM).isoformat(" ", "seconds")


def _read(instant: str) -> str:
    return datetime.fromisoformat(instant).astimezone(VIETNAM).isoformat(" ", "seconds")


def _download(chosen: argparse.Namespace) -> int:
    search = {FILTERS[name]: value for name, value in _asked(chosen).items()}
    answer = from_environment().save("/api/v1/audit/exports", {"form": chosen.form, "search": search}, chosen.file)
    if not answer.ok:
        return tell_refusal(answer)
    told = {"file": str(chosen.file), "bytes": chosen.file.stat().st_size}
    print(json.dumps(told) if chosen.json else f"{told['bytes']:,} bytes → {chosen.file}")
    return 0
