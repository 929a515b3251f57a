"""docs/verify.py as anybody runs it: what holds, what does not and in which words, and files made to break it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from marketplace.audit.note import signature_line, verifier_key
from marketplace.verifier.bundle import HEADER
from marketplace.verifier.refusal import TEXTS
from tests.marketplace.verifier.material import ORIGIN, Made, bundle_of, document, receipt_of
from tests.marketplace.verifier.outside import run, run_all

OURS, THEIRS = uuid4(), uuid4()
BUNDLE = bundle_of(Made())


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """600 leaves, so that there are whole tiles and one that is not."""
    made = Made()
    for n in range(595):
        made.add(dataset_id=(OURS, THEIRS, None)[n % 3])
    return made


@pytest.fixture(scope="module")
def receipt(log: Made) -> bytes:
    return receipt_of(log)


@pytest.fixture(scope="module")
def folder(log: Made, receipt: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    del receipt  # first its leaves, then the export
    return log.write(tmp_path_factory.mktemp("public"))


def put(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_receipt_holds_and_says_so(log: Made, receipt: bytes, tmp_path: Path) -> None:
    path, key = put(tmp_path, "receipt.json", receipt), put(tmp_path, "log.vkey", f"{log.key}\n")
    plain, as_json = run("receipt", path, "--key", key), run("receipt", path, "--key", log.key, "--json")
    assert (plain.exit_code, plain.err) == (0, "")
    assert plain.out.splitlines()[:2] == ["✓ form", f"✓ signature {ORIGIN}, 600"]
    assert as_json.exit_code == 0
    assert [check["name"] for check in as_json.document["checks"]] == [
        "form", "signature", "inclusion", "event", "fields", "opened"
    ]  # fmt: skip


def test_a_receipt_is_as_good_as_a_tlog_proof(log: Made, tmp_path: Path) -> None:
    made = Made(signer=log.signer)
    path = put(tmp_path, "receipt.tlog-proof", bundle_of(made))
    (said,) = run_all([["receipt", path, "--key", made.key, "--json"]])
    assert (said.exit_code, said.codes) == (0, [])


def test_what_does_not_hold_is_said_in_both_languages(log: Made, receipt: bytes, tmp_path: Path) -> None:
    changed = put(tmp_path, "receipt.json", receipt.replace(b'"price_vnd":1234', b'"price_vnd":1', 1))
    (said,) = run_all([["receipt", changed, "--key", log.key]])
    assert said.exit_code == 1
    assert "✗ fields price_vnd" in said.out or "✗ event" in said.out
    assert "Trường price_vnd khác với sự kiện đã ghi." in said.err
    assert "The field price_vnd differs from the logged event." in said.err
    assert "Do not trust this" in said.err


def change(edit: Callable[[dict[str, Any]], None]) -> Callable[[bytes], bytes]:
    def changed(receipt: bytes) -> bytes:
        found = document(receipt)
        edit(found)
        return json.dumps(found, ensure_ascii=False).encode()

    return changed


def nest(depth: int) -> Callable[[bytes], bytes]:
    return change(lambda found: found["event"]["body"].update(deep=json.loads("[" * depth + "]" * depth)))


def loosened(log: dict[str, Any]) -> None:
    """Bits of the signature that base64 does not use are others."""
    note = log["checkpoint"]
    log["checkpoint"] = f"{note[:-3]}{chr(ord(note[-3]) + 1)}=\n"


def cut_line(log: dict[str, Any]) -> None:
    log["checkpoint"] = log["checkpoint"].rpartition(" ")[0] + "\n"


HOSTILE: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "nothing": ("form.json", lambda _: b""),
    "not text": ("form.encoding", lambda _: b"\xff\xfe{"),
    "UTF-16": ("form.encoding", lambda receipt: receipt.decode().encode("utf-16")),
    "a byte order mark": ("form.json", lambda receipt: b"\xef\xbb\xbf" + receipt),
    "huge": ("form.size", lambda receipt: receipt + b" " * (4 * 1024 * 1024)),
    "deep beyond the interpreter": ("form.depth", lambda _: b"[" * 1_000_000),
    "deep within": ("form.depth", nest(60)),
    "a key twice": ("form.twice", lambda receipt: receipt.replace(b'"salt":', b'"salt":"00","salt":', 1)),
    "NaN": ("form.number", lambda receipt: receipt.replace(b'"price_vnd":1234', b'"price_vnd":NaN', 1)),
    "infinity": ("form.number", lambda receipt: receipt.replace(b'"revision":2', b'"revision":-Infinity', 1)),
    "a fraction": ("form.number", lambda receipt: receipt.replace(b'"price_vnd":1234', b'"price_vnd":1234.0', 1)),
    "a number of a million digits": (
        "form.number",
        lambda receipt: receipt.replace(b'"price_vnd":1234', b'"price_vnd":' + b"1" * 1_000_000, 1),
    ),
    "half of a pair": ("form.encoding", lambda receipt: receipt.replace(b'"ready"', b'"\\ud800"')),
    "a list": ("form.field", lambda _: b"[]"),
    "a field too many": ("form.field", change(lambda found: found.update(more=1))),
    "a field too few": ("form.field", change(lambda found: found.pop("usage"))),
    "an event without its name": ("form.field", change(lambda found: found["event"].pop("name"))),
    "truth for a number": ("form.field", change(lambda found: found.update(revision=True))),
    "text for a list": ("form.field", change(lambda found: found["log"].update(inclusion="abc"))),
    "another version": ("form.field", change(lambda found: found.update(version=2))),
    "facts of ten billion": ("facts.order", change(lambda found: found["facts"].update(size=10**10))),
    "no facts": ("facts.root", change(lambda found: found.update(facts=None))),
    "a fact that is no JSON": ("form.json", change(lambda found: found["facts"]["facts"][0].update(value="{"))),
    "a fact spelled otherwise": (
        "facts.value", change(lambda found: found["facts"]["facts"][0].update(value=" null"))
    ),
    "a salt in capitals": ("form.hex", change(lambda found: found.update(salt=found["salt"].upper() + "AA"))),
    "no note": ("note.form", change(lambda found: found["log"].update(checkpoint="hello"))),
    "a leaf far away": ("inclusion.path", change(lambda found: found["log"].update(index=10**15))),
    "a proof of another version": ("form.json", lambda _: BUNDLE.replace(b"@v1", b"@v2", 1)),
    "a proof without its extra": ("form.proof", lambda _: re.sub(rb"extra .*\n", b"", BUNDLE, count=1)),
    "a proof whose extra is no base64": ("form.base64", lambda _: BUNDLE.replace(b"extra ", b"extra =", 1)),
    "a proof whose extra is no receipt": ("form.field", lambda _: re.sub(rb"extra .*", b"extra W10=", BUNDLE)),
    "a proof with an index of its own": ("form.proof", lambda _: BUNDLE.replace(b"index ", b"index 0", 1)),
    "a proof of nothing but a header": ("form.proof", lambda _: HEADER.encode()),
    "a proof too large": ("form.size", lambda _: BUNDLE + b"\n" * (4 * 1024 * 1024)),
    "no canonical base64": ("form.base64", change(lambda found: loosened(found["log"]))),
    "a signature line of two words": ("note.form", change(lambda found: cut_line(found["log"]))),
    "facts that are not all there": ("facts.order", change(lambda found: found["settled"]["closed"].clear())),
    "facts that are too many": ("facts.order", change(lambda found: found["settled"]["closed"].append("ab" * 32))),
    "a fact outside its tree": (
        "facts.order", change(lambda found: found["settled"]["facts"][-1].update(index=1_000))
    ),
    "a tree that the event knows nothing of": (
        "facts.root", change(lambda found: found["event"]["body"].pop("settled"))
    ),
    "a leaf of another form": ("leaf.form", change(lambda found: found["log"].update(leaf="{}"))),
}  # fmt: skip


def test_files_made_to_break_it_are_refused_by_name(log: Made, receipt: bytes, tmp_path: Path) -> None:
    paths = [put(tmp_path, f"{n}.json", spoil(receipt)) for n, (_, spoil) in enumerate(HOSTILE.values())]
    runs = run_all([["receipt", path, "--key", log.key, "--json"] for path in paths])
    for (name, (code, _)), said in zip(HOSTILE.items(), runs, strict=True):
        assert (said.exit_code, said.err) == (1, ""), name
        assert code in said.codes, (name, said.codes)
        assert all(check["vi"] and check["en"] for check in said.document["checks"] if not check["ok"])


def test_wrong_usage_is_told_apart_from_what_does_not_hold(receipt: bytes, log: Made, tmp_path: Path) -> None:
    path, absent = put(tmp_path, "receipt.json", receipt), tmp_path / "ab\x1bsent"
    keyless, nokey, forged, gone, empty, verb = run_all(
        [
            ["receipt", path],
            ["receipt", path, "--key", "nonsense"],
            ["receipt", path, "--key", str(log.key).replace("+", "+0", 1)],
            ["receipt", absent, "--key", log.key],
            ["log", tmp_path, "--key", log.key],
            ["dance"],
        ]
    )
    assert [each.exit_code for each in (keyless, nokey, forged, gone, empty, verb)] == [2] * 6
    assert "Not an Ed25519 verifier key." in nokey.err
    assert "ab\\x1bsent cannot be read" in gone.err
    assert "checkpoint cannot be read" in empty.err


def test_an_exported_log_holds_and_continues_what_was_kept(log: Made, folder: Path, tmp_path: Path) -> None:
    kept = [put(tmp_path, f"kept-{size}", log.checkpoint(size)) for size in (0, 1, 255, 256, 257, 512, 600)]
    seen = [word for path in kept for word in ("--seen", path)]
    (said,) = run_all([["log", folder, "--key", log.key, "--json", *seen]])
    assert said.exit_code == 0, said.out
    names = [check["name"] for check in said.document["checks"]]
    assert names == ["signature", *["seen"] * 7, "leaves", *["consistency"] * 7]


def tampered(folder: Path, to: Path, name: str, edit: Callable[[bytes], bytes]) -> Path:
    """A copy whose one file is another; all the rest are links."""
    for path in folder.rglob("*"):
        if path.is_file():
            target = to / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(
                edit(path.read_bytes()) if str(path.relative_to(folder)) == name else path.read_bytes()
            )
    return to


def flip(at: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_signed_nonsense_is_still_nonsense(log: Made, tmp_path: Path) -> None:
    """What the key itself signed, and is no checkpoint of this log."""
    root = base64.b64encode(log.root(1)).decode()
    texts = {
        f"else.example\n1\n{root}\n": "note.head",
        f"{ORIGIN}\n01\n{root}\n": "note.head",
        f"{ORIGIN}\n-1\n{root}\n": "note.head",
        f"{ORIGIN}\n1\nAAAA\n": "note.head",
        f"{ORIGIN}\n1\n": "note.head",
        f"{ORIGIN}\n1\n{root}\n\nmore\n": "note.head",
        f"{ORIGIN}\n1\n{root}A\n": "form.base64",
        f"{ORIGIN}\n1\t\n{root}\n": "note.form",
    }
    proof = put(tmp_path, "proof", log.consistency(1, 1))
    old = put(tmp_path, "old", log.checkpoint(1))
    notes = [f"{text}\n{signature_line(text, ORIGIN, log.signer)}" for text in texts]
    paths = [put(tmp_path, str(n), note) for n, note in enumerate(notes)]
    runs = run_all([["consistency", old, path, proof, "--key", log.key, "--json"] for path in paths])
    assert [said.codes for said in runs] == [[code] for code in texts.values()]
    extended = f"{ORIGIN}\n1\n{root}\nan extension line\n"
    path = put(tmp_path, "extended", f"{extended}\n{signature_line(extended, ORIGIN, log.signer)}")
    assert run_all([["consistency", old, path, proof, "--key", log.key]])[0].exit_code == 0


def test_a_log_with_files_missing_or_of_another_log_is_refused(log: Made, folder: Path, tmp_path: Path) -> None:
    missing = tampered(folder, tmp_path / "missing", "", bytes)
    (missing / "tile" / "0" / "001").unlink()
    long = tampered(folder, tmp_path / "long", "tile/0/001", lambda data: data * 300)
    other = Made(signer=log.signer)
    for _ in range(len(log.leaves)):
        other.add()
    swapped = tampered(folder, tmp_path / "swapped", "checkpoint", lambda _: other.checkpoint().encode())
    runs = run_all([["log", each, "--key", log.key, "--json"] for each in (missing, long, swapped)])
    assert [said.codes for said in runs] == [["log.missing"], ["form.size"], ["log.root"]]


def test_a_head_is_held_by_the_wider_tiles_of_a_later_one(log: Made, folder: Path, tmp_path: Path) -> None:
    """As tlog-tiles lets a log remove what is partial; whoever reads while it grows meets that."""
    older = [(size, tampered(folder, tmp_path / str(size), "checkpoint", checkpoint_of(log, size)))
             for size in (1, 200, 300, 520)]  # fmt: skip
    runs = run_all([["log", each, "--key", log.key, "--json"] for _, each in older])
    assert [said.codes for said in runs] == [[]] * 4
    assert [said.document["checks"][-1]["detail"] for said in runs] == [str(size) for size, _ in older]


def checkpoint_of(log: Made, size: int) -> Callable[[bytes], bytes]:
    return lambda _: log.checkpoint(size).encode()


def another_digit(data: bytes) -> bytes:
    """Of the first leaf's commitment: its form is as it should be."""
    return data[:10] + (b"1" if data[10:11] == b"0" else b"0") + data[11:]


def test_one_bit_of_any_file_of_a_log_is_found_and_named(log: Made, folder: Path, tmp_path: Path) -> None:
    edits = {
        ("tile/0/001", flip(77)): ["log.tile", "0/001, leaf 258"],
        ("tile/0/002.p/88", flip(1)): ["log.tile", "0/002.p/88, leaf 512"],
        ("tile/1/000.p/2", flip(40)): ["log.tile", "1/000.p/2, leaf 256"],
        ("tile/entries/001", another_digit): ["log.tile", "0/001, leaf 256"],
        ("tile/entries/000", flip(1)): ["log.bundle", "entries/000"],
        ("tile/entries/002.p/88", lambda data: data[:-3]): ["log.bundle", "entries/002.p/88"],
        ("checkpoint", flip(3)): ["note.forged", ORIGIN],
    }
    spoilt = [tampered(folder, tmp_path / str(n), *edit) for n, edit in enumerate(edits)]
    runs = run_all([["log", each, "--key", log.key, "--json"] for each in spoilt])
    for expected, said in zip(edits.values(), runs, strict=True):
        assert said.exit_code == 1
        (found,) = [check for check in said.document["checks"] if not check["ok"]]
        assert [found["code"], found["detail"]] == expected


def test_a_log_that_was_rewritten_or_cut_is_found_by_who_kept_a_head(
    log: Made, folder: Path, tmp_path: Path
) -> None:
    forked = Made(signer=log.signer)
    for _ in range(700):
        forked.add()
    other, later = put(tmp_path, "other", forked.checkpoint(300)), put(tmp_path, "later", forked.checkpoint())
    (said,) = run_all([["log", folder, "--key", log.key, "--json", "--seen", other, "--seen", later]])
    assert (said.exit_code, said.codes) == (1, ["consistency.fork", "log.short"])


def test_a_dataset_is_complete_or_what_is_left_out_is_named(log: Made, folder: Path, tmp_path: Path) -> None:
    views, key = log.views(OURS), log.completeness(OURS)
    newest = [view | {"leaf_index": 600, "dataset_counter": 199} for view in views[-1:]]
    without_leaf = [view | {"leaf_index": None, "dataset_counter": None} for view in views[:1]]
    left_out = [view for view in views if view["leaf_index"] not in (3, 297)]
    given: list[tuple[list[Any], str]] = [
        ([key, *views], ""),
        ([{"items": views[::-1], "next": None}, key], ""),
        ([key, *views, *views[:3], *newest, *without_leaf], ""),
        ([key, *left_out], "dataset.left_out"),
        ([key, *views[:-1]], "dataset.kept_back"),
        ([key, *edited(views, 12, dataset_previous=8)], "dataset.previous"),
        ([key, *edited(views, 9, purpose="another")], "dataset.leaf"),
        ([key, *views, views[4] | {"price_vnd": 1}], "dataset.leaf"),
        ([log.completeness(THEIRS), *views], "dataset.leaf"),
        ([key, *edited(views, 6, salt=None)], "dataset.closed"),
        ([key, *edited(views, 6, salt=None, price_vnd=1, purpose="invented")], "dataset.closed"),
        ([key, *views, *log.views(THEIRS)], "dataset.several"),
        (views, "dataset.key"),
        ([key], "dataset.none"),
        ([key, [1]], "form.field"),
        ([key | {"chain_key": "AB"}, views], "form.hex"),
    ]
    paths = [
        put(tmp_path, f"events-{n}", "".join(json.dumps(each, indent=n % 2 or None) for each in parts))
        for n, (parts, _) in enumerate(given)
    ]
    runs = run_all([["dataset", folder, path, "--key", log.key, "--json"] for path in paths])
    assert [said.codes for said in runs] == [[code] if code else [] for _, code in given]
    assert [said.exit_code for said in runs] == [1 if code else 0 for _, code in given]
    assert (
        runs[2]
        .document["checks"][-1]["detail"]
        .endswith(", 199, mở được / opened: 199; không xét / not checked: 2")
    )
    assert "counters 1, 99." in runs[3].out
    assert "counter 198." in runs[4].out


def test_of_an_event_that_does_not_open_only_the_place_is_taken_and_only_if_asked(
    log: Made, folder: Path, tmp_path: Path
) -> None:
    views, key = log.views(OURS), log.completeness(OURS)
    stripped = edited(views, 6, salt=None, purpose="invented")
    renamed = [view | {"salt": None, "dataset_id": str(OURS)} for view in log.views(THEIRS)]
    given = [
        ([key, *stripped], ""),
        ([key, *edited(stripped, 9, salt=None, commitment="ab" * 32)], "dataset.leaf"),
        ([key, *edited(stripped, 9, purpose="invented")], "dataset.leaf"),
        ([log.completeness(THEIRS), *renamed], "dataset.unopened"),
        (
            [log.completeness(THEIRS), views[0] | {"leaf_index": renamed[0]["leaf_index"]}, *renamed[1:]],
            "dataset.leaf",
        ),
    ]
    paths = [put(tmp_path, f"events-{n}", "\n".join(map(json.dumps, parts))) for n, (parts, _) in enumerate(given)]
    runs = run_all([["dataset", folder, path, "--key", log.key, "--json", "--erased"] for path in paths])
    assert [said.codes for said in runs] == [[code] if code else [] for _, code in given]
    assert [said.exit_code for said in runs] == [1 if code else 0 for _, code in given]
    assert runs[0].document["checks"][-1]["detail"] == f"{OURS}, 199, mở được / opened: 198"


def edited(views: list[dict[str, Any]], index: int, **fields: Any) -> list[dict[str, Any]]:
    return [view | fields if view["leaf_index"] == index else view for view in views]


def test_any_two_checkpoints_are_consistent_by_a_proof_alone(log: Made, folder: Path, tmp_path: Path) -> None:
    del folder
    heads = {size: put(tmp_path, str(size), log.checkpoint(size)) for size in (1, 256, 599, 600)}
    good = [(first, second) for first in heads for second in heads if first <= second]
    proofs = {pair: put(tmp_path, f"proof-{pair}", log.consistency(*pair)) for pair in good}
    runs = [["consistency", heads[a], heads[b], proofs[a, b], "--key", log.key, "--json"] for a, b in good]
    assert [each.exit_code for each in run_all(runs)] == [0] * len(runs)
    short = put(tmp_path, "short", json.dumps({"first": 256, "second": 600, "hashes": []}))
    wrong = [
        ["consistency", heads[256], heads[600], short, "--key", log.key, "--json"],
        ["consistency", heads[256], heads[599], proofs[256, 600], "--key", log.key, "--json"],
        ["consistency", heads[600], heads[599], proofs[599, 600], "--key", log.key, "--json"],
        ["consistency", heads[1], put(tmp_path, "no note", "x\n"), proofs[1, 1], "--key", log.key, "--json"],
    ]
    codes = [["consistency.fork"], ["consistency.other"], ["consistency.other"], ["note.form"]]
    assert [each.codes for each in run_all(wrong)] == codes


def test_a_key_that_did_not_sign_is_told_by_name(log: Made, receipt: bytes, tmp_path: Path) -> None:
    path = put(tmp_path, "receipt.json", receipt)
    other = verifier_key(ORIGIN, Ed25519PrivateKey.generate())
    stranger = verifier_key("else.example/log", Ed25519PrivateKey.generate())
    runs = run_all([["receipt", path, "--key", key, "--json"] for key in (other, stranger)])
    assert [each.codes for each in runs] == [["note.unsigned"] * 2] * 2
    assert "else.example/log" in runs[1].out


def test_every_text_is_there_in_both_languages_and_is_used() -> None:
    source = "".join(path.read_text() for path in sorted(Path("marketplace/verifier").glob("*.py")))
    for code, (vi, en) in TEXTS.items():
        assert vi != en
        assert vi.count("{}") == en.count("{}")
        assert source.count(f'"{code}"') >= 2, code
