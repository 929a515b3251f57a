"""Kiểm chứng nhật ký của sàn dữ liệu / Checks the exchange's log against a pinned key, believing nothing else.

    verify.py fetch URL FOLDER --key KEY            the public log of a service into FOLDER, and checks it; done
                                                    again, it takes what is new, and holds it to what was there
    verify.py receipt FILE --key KEY                a receipt, as JSON or as a C2SP tlog-proof
    verify.py log FOLDER --key KEY [--seen FILE]…   an exported log: each leaf and tile, and that it continues
                                                    checkpoints kept from earlier
    verify.py dataset FOLDER EVENTS --key KEY       that no use of a dataset was left out of EVENTS: what GET
                                                    /api/v1/audit/completeness/ID and …/events answered;
                                                    --erased: though salts of some were erased, of which
                                                    then only the place is proven, and they are counted
    verify.py export FOLDER ZIP --key KEY           that each row of an export (NDJSON, CSV) is its leaf, and of
                                                    one without a search, the regulator's, that none is left out
    verify.py consistency OLD NEW PROOF --key KEY   that checkpoint NEW continues checkpoint OLD

KEY is a verifier key (C2SP signed-note) or a file that holds one. --witness KEY, as often as you like: that
witness must have cosigned the (newer) checkpoint. --json for machines.
Exit codes: 0 it holds, 1 it does not, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from marketplace.verifier.consistency import check_consistency
from marketplace.verifier.dataset import MAX_EVENTS_BYTES, check_dataset
from marketplace.verifier.export import check_export
from marketplace.verifier.fetching import fetch_log
from marketplace.verifier.folder import check_log
from marketplace.verifier.note import COSIGNATURE, ED25519, VerifierKey, parse_key
from marketplace.verifier.receipt import check_receipt
from marketplace.verifier.refusal import Check, Refused, holds
from marketplace.verifier.strict_json import MAX_BYTES

OK, FAILED, USAGE = 0, 1, 2
UNREAD = ("export.form", "fetch.address", "fetch.away")
"""Of these nothing was checked, so nothing is said against whoever is checked."""
ADVICE = ("Không tin tài liệu này; giữ nguyên tệp và báo cơ quan quản lý.",
          "Do not trust this; keep the file as it is and tell the regulator.")  # fmt: skip


class Unusable(Exception):
    """What was given as a key is none."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one check; the exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        key = read_key(chosen.key)
        witnesses = tuple(read_key(each, COSIGNATURE) for each in chosen.witness)
        checks = _run(chosen, key, witnesses)
    except Unusable as wrong:
        print(wrong, file=sys.stderr)
        return USAGE
    except OSError as wrong:
        name = ascii(str(wrong.filename))[1:-1]
        print(f"Không đọc được tệp {name}.\nThe file {name} cannot be read.", file=sys.stderr)
        return USAGE
    return tell(checks, as_json=chosen.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="verify.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, given in {
        "fetch": ["url", "folder"],
        "receipt": ["file"], "log": ["folder"], "dataset": ["folder", "events"], "export": ["folder", "zip"],
        "consistency": ["old", "new", "proof"],
    }.items():  # fmt: skip
        one = verbs.add_parser(verb)
        for name in given:
            one.add_argument(name, type=str if name == "url" else Path, metavar=name.upper())
        one.add_argument("--key", required=True)
        one.add_argument("--witness", action="append", default=[], metavar="KEY")
        one.add_argument("--json", action="store_true")
        if verb == "log":
            one.add_argument("--seen", type=Path, action="append", default=[], metavar="FILE")
        if verb in ("dataset", "export"):
            one.add_argument("--erased", action="store_true")
    return parser


def _run(chosen: argparse.Namespace, key: VerifierKey, witnesses: Sequence[VerifierKey]) -> tuple[Check, ...]:
    if chosen.verb == "fetch":
        return fetch_log(chosen.url, chosen.folder, key, witnesses=witnesses)
    if chosen.verb == "receipt":
        return check_receipt(read(chosen.file), key, witnesses)
    if chosen.verb == "log":
        return check_log(chosen.folder, key, seen=[read(each) for each in chosen.seen], witnesses=witnesses)
    if chosen.verb == "dataset":
        events = read(chosen.events, MAX_EVENTS_BYTES)
        return check_dataset(chosen.folder, events, key, witnesses=witnesses, erased=chosen.erased)
    if chosen.verb == "export":
        return check_export(chosen.folder, chosen.zip, key, witnesses=witnesses, erased=chosen.erased)
    old, new, proof = read(chosen.old), read(chosen.new), read(chosen.proof)
    return check_consistency(old, new, proof, key, witnesses=witnesses)


def read(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Its bytes; no more than one above the limit, by which a check sees that it is too long. Raises OSError."""
    with path.open("rb") as file:
        return file.read(limit + 1)


def read_key(given: str, kind: int = ED25519) -> VerifierKey:
    """A verifier key from its text, or from the file so named. Raises Unusable."""
    try:
        is_file = Path(given).is_file()
        return parse_key(read(Path(given)).decode() if is_file else given, kind)
    except (OSError, ValueError) as wrong:
        raise Unusable("\n".join(Refused("key.form").said)) from wrong


def tell(checks: Sequence[Check], *, as_json: bool) -> int:
    """Print what was found, what is wrong in both languages; the exit code."""
    ok, unread = holds(checks), any(check.code in UNREAD for check in checks)
    code = OK if ok else USAGE if unread else FAILED
    if as_json:
        print(json.dumps({"ok": ok, "checks": [asdict(check) for check in checks]}, ensure_ascii=False))
        return code
    for check in checks:
        print(f"{'✓' if check.ok else '✗'} {check.name} {check.detail}".rstrip())
        if not check.ok:
            print(f"  {check.vi}\n  {check.en}", file=sys.stderr)
    if code == FAILED:
        print(*ADVICE, sep="\n", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
