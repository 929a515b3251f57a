"""That the exported events of a dataset leave none out."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketplace.verifier.folder import Looked, check_log
from marketplace.verifier.note import VerifierKey, open_checkpoint
from marketplace.verifier.receipt import EVENT, MAYBE_NUMBER, MAYBE_TEXT, NUMBER, TEXT, commitment
from marketplace.verifier.refusal import Check, Refused, checked, holds
from marketplace.verifier.strict_json import MAX_BYTES, canonical, documents, hex32, no_number, shaped, utf8

MAX_EVENTS_BYTES = 256 * 1024 * 1024
ENDS = ("query:settle", "query:deny", "query:void")
VIEW = EVENT | {"commitment": TEXT, "salt": MAYBE_TEXT, "leaf_index": MAYBE_NUMBER,
                "dataset_counter": MAYBE_NUMBER, "dataset_previous": MAYBE_NUMBER}  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """What was exported of a dataset: the key of its chain, and its events in the order of their counters.

    `beside`: how many more were given, of which nothing is checked: newer than the log, or in no chain."""

    chain_key: bytes
    events: Sequence[Mapping[str, Any]]
    beside: int

    def link(self, counter: int, previous: int | None) -> bytes:
        """What the leaf of the event with that counter holds as its link (hex)."""
        place = canonical({"n": counter, "p": previous}).encode()
        return hmac.digest(self.chain_key, place, hashlib.sha256).hex().encode()

    def looked(self) -> Looked:
        """Its leaves, and the link that the next event would have."""
        leaves = {
            event["leaf_index"]: b'{"c":"%b","l":"%b"}'
            % (opened_commitment(event), self.link(event["dataset_counter"], event["dataset_previous"]))
            for event in self.events
        }
        last = self.events[-1]
        counter = last["dataset_counter"] + 1
        return Looked(leaves, self.link(counter, last["leaf_index"]), counter)


def check_dataset(
    folder: Path, events: bytes, key: VerifierKey, *, witnesses: Sequence[VerifierKey] = (), erased: bool = False
) -> tuple[Check, ...]:
    """An exported log, and that `events` (answers of completeness/ID and events) leave out no leaf of a dataset.

    `erased`: events may be without their salts, of which only the place is proven. What is newer than the exported
    log is counted, not checked. Raises OSError where the folder holds no checkpoint.
    """
    with (folder / "checkpoint").open("rb") as file:
        note = file.read(MAX_BYTES)
    looked: list[Looked] = []

    def complete() -> str:
        size = open_checkpoint(utf8(note), key).size
        exported = read_exported(events, size)
        require_chained(exported.events)
        opened = require_opened(exported.events, erased=erased)
        looked.append(exported.looked())
        beside = f"; không xét / not checked: {exported.beside}" if exported.beside else ""
        return f"{opened[0]['dataset_id']}, {len(exported.events)}, mở được / opened: {len(opened)}{beside}"

    found = checked("complete", complete)
    if not found.ok:
        return (found,)
    checks = check_log(folder, key, witnesses=witnesses, looked=looked[0])
    return (*checks, found) if holds(checks) else checks


def read_exported(data: bytes, size: int) -> Exported:
    """The events that count for the dataset in a log of `size` leaves, and the chain's key. Raises Refused."""
    if len(data) > MAX_EVENTS_BYTES:
        raise Refused("form.size", MAX_EVENTS_BYTES)
    keys: set[str] = set()
    events: dict[int, dict[str, Any]] = {}
    beside = 0
    for document in documents(utf8(data), no_number):
        if isinstance(document, dict) and "chain_key" in document:
            shaped(document["chain_key"], TEXT, "chain_key")
            keys.add(document["chain_key"])
        else:
            for event in _events(document):
                if not _counts(event, size):
                    beside += 1
                elif events.setdefault(event["leaf_index"], event) != event:
                    raise Refused("dataset.leaf", event["leaf_index"])
    if len(keys) != 1:
        raise Refused("dataset.key")
    if not events:
        raise Refused("dataset.none")
    if len(datasets := sorted({str(event["dataset_id"]) for event in events.values()})) > 1:
        raise Refused("dataset.several", ascii(", ".join(datasets))[1:-1][:80])
    ordered = sorted(events.values(), key=lambda event: int(event["dataset_counter"]))
    return Exported(hex32(*keys), ordered, beside)


def _events(document: Any) -> Iterator[dict[str, Any]]:
    page = document["items"] if isinstance(document, dict) and "items" in document else document
    for event in page if isinstance(page, list) else [page]:
        if not isinstance(event, dict):
            raise Refused("form.field", "items")
        shaped({name: event[name] for name in VIEW if name in event}, VIEW, "items")
        yield event


def _counts(event: Mapping[str, Any], size: int) -> bool:
    if event["dataset_counter"] is None or event["leaf_index"] is None:
        return False
    shaped(event["leaf_index"], NUMBER, "leaf_index")
    return bool(event["leaf_index"] < size)


def require_chained(events: Sequence[Mapping[str, Any]]) -> None:
    """Counters run from 0 without gap, each event names the leaf of the one before it. Raises Refused."""
    counters = [event["dataset_counter"] for event in events]
    if counters != list(range(len(events))):
        missing = _missing(counters)
        raise Refused("dataset.left_out", ", ".join(map(str, missing)) or "?")
    previous, ended = None, set[tuple[str, str]]()
    for event in events:
        require_ended_once(event, ended)
        if event["dataset_previous"] != previous:
            raise Refused("dataset.previous", event["dataset_counter"])
        previous = event["leaf_index"]


def require_opened(events: Sequence[Mapping[str, Any]], *, erased: bool) -> Sequence[Mapping[str, Any]]:
    """Those with their salts: all, unless some may be `erased`; and at least one, for nothing else proves of which
    dataset the chain is. Raises Refused."""
    opened = [event for event in events if event["salt"] is not None]
    if not opened:
        raise Refused("dataset.unopened")
    if len(opened) < len(events) and not erased:
        closed = [event["dataset_counter"] for event in events if event["salt"] is None]
        raise Refused("dataset.closed", ", ".join(map(str, closed[:20])))
    return opened


def _missing(counters: Iterable[int]) -> list[int]:
    """The first twenty that are not there."""
    found: list[int] = []
    due = 0
    for counter in counters:
        found += range(due, min(counter, due + 20 - len(found)))
        due = counter + 1
    return found


def require_ended_once(event: Mapping[str, Any], ended: set[tuple[str, str]]) -> None:
    """A query ends once for each of its datasets: else two parties could be shown two prices. Raises Refused."""
    if event["name"] not in ENDS or event["query_id"] is None or event["dataset_id"] is None:
        return
    line = (event["query_id"], event["dataset_id"])
    if line in ended:
        raise Refused("dataset.ended_twice", ascii(event["query_id"])[1:-1][:80])
    ended.add(line)


def opened_commitment(event: Mapping[str, Any]) -> bytes:
    """What its leaf must hold, as is told; where the salt was erased, only that. Raises Refused."""
    if event["salt"] is None:
        return hex32(event["commitment"]).hex().encode()
    opened = commitment(event["salt"], {name: event[name] for name in EVENT})
    if event["commitment"].encode() != opened:
        raise Refused("dataset.leaf", event["leaf_index"])
    return opened
