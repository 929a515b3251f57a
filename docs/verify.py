#!/usr/bin/env python3
# One file: Python 3.11 or newer, its standard library, `cryptography`. What is checked and why: docs/verify.md.
# Written by tools/verifier.py from marketplace/verifier: change it there.
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
import base64
import binascii
import csv
import hashlib
import hmac
import json
import re
import struct
import sys
import urllib.error
import urllib.request
import zipfile
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# What may be wrong, in both languages, and how it is told.

TEXTS = {
    "form.size": ("Lớn hơn {} byte.", "Larger than {} bytes."),
    "form.encoding": ("Không phải văn bản UTF-8.", "Not UTF-8 text."),
    "form.json": ("Không phải JSON: {}.", "Not JSON: {}."),
    "form.depth": ("Lồng sâu hơn {} tầng.", "Nested deeper than {} levels."),
    "form.number": ("Số {} không phải số nguyên dưới 2^53.", "{} is no integer below 2^53."),
    "form.twice": ("Khóa {} có hai lần.", "The key {} stands twice."),
    "form.field": ("Trường {} thiếu, thừa hoặc sai kiểu.", "The field {} is missing, unknown or of a wrong type."),
    "form.base64": ("Không phải base64 chuẩn: {}.", "Not canonical base64: {}."),
    "form.hex": ("Không phải hex chữ thường, 32 byte: {}.", "Not 32 bytes in lower-case hexadecimal: {}."),
    "form.proof": ("Không phải C2SP tlog-proof: {}.", "Not a C2SP tlog-proof: {}."),
    "key.form": ("Không phải khóa kiểm chứng Ed25519.", "Not an Ed25519 verifier key."),
    "note.form": ("Không phải ghi chú có chữ ký C2SP: {}.", "Not a C2SP signed note: {}."),
    "note.unsigned": ("Khóa {} không ký điểm kiểm tra này.", "The key {} has not signed this checkpoint."),
    "note.forged": ("Chữ ký mang tên {} là giả.", "The signature that bears the name {} is forged."),
    "note.head": ("Điểm kiểm tra sai ở dòng {}.", "The checkpoint is wrong in its line {}."),
    "inclusion.path": ("Bằng chứng không dẫn từ lá {} đến gốc đã ký.",
                       "The proof does not lead from leaf {} to the signed root."),
    "consistency.fork": ("Nhật ký đã bị viết lại hoặc rẽ nhánh: {} không tiếp nối.",
                         "The log was rewritten or forked: {} do not continue one another."),
    "consistency.other": ("Bằng chứng là của hai điểm kiểm tra khác ({}): hãy lấy bằng chứng cho đúng hai cỡ này.",
                          "The proof is for other checkpoints ({}): ask for the one between these two sizes."),
    "event.commitment": ("Sự kiện và muối không mở được cam kết của lá.",
                         "The event and its salt do not open the leaf's commitment."),
    "leaf.form": ("Lá {} không ở dạng chuẩn.", "Leaf {} is not in canonical form."),
    "fields.differ": ("Trường {} khác với sự kiện đã ghi.", "The field {} differs from the logged event."),
    "facts.order": ("Các dữ kiện không theo thứ tự.", "The facts are not in order, or not all there."),
    "facts.value": ("Dữ kiện {} không ở dạng chuẩn.", "The fact {} is not in canonical form."),
    "facts.root": ("Các dữ kiện của {} không dẫn đến gốc trong sự kiện.",
                   "The facts of {} do not lead to the root in the event."),
    "log.missing": ("Thiếu tệp {}.", "The file {} is missing."),
    "log.bundle": ("Gói lá {} không nguyên vẹn.", "The entry bundle {} is not whole."),
    "log.tile": ("Ô {} không phải các băm của lá.", "The tile {} is not what the leaves give."),
    "log.root": ("Các lá không cho gốc đã ký ở cỡ {}.", "The leaves do not give the root signed at size {}."),
    "log.short": ("Nhật ký ngắn hơn {} lá đã công bố.", "The log is shorter than the {} leaves once published."),
    "dataset.none": ("Không có sự kiện nào của một bộ dữ liệu ở cỡ này.", "No event of a dataset at this size."),
    "dataset.several": ("Sự kiện của nhiều bộ dữ liệu: {}.", "Events of several datasets: {}."),
    "dataset.key": ("Thiếu khóa chuỗi (chain_key) của bộ dữ liệu.", "The dataset's chain_key is missing."),
    "dataset.left_out": ("Bản xuất thiếu sự kiện: bộ đếm {}.", "The export leaves events out: counters {}."),
    "dataset.previous": ("Sự kiện {} không nối tiếp sự kiện trước nó.", "Event {} does not follow the last."),
    "dataset.closed": ("Sự kiện thiếu muối nên không mở được: bộ đếm {}. Nếu muối đã bị xóa: --erased.",
                       "Events without salts do not open: counters {}. If they were erased: --erased."),
    "dataset.unopened": ("Không sự kiện nào mở được: không gì cho biết đây là bộ dữ liệu nào.",
                         "No event opens, so nothing proves of which dataset they are."),
    "dataset.leaf": ("Lá {} không phải của sự kiện đã xuất.", "Leaf {} is not that of the exported event."),
    "dataset.kept_back": ("Sự kiện mới nhất bị giữ lại: bộ đếm {}. Nếu EVENTS cũ hơn nhật ký: hãy lấy lại nó.",
                          "A newest event is kept back: counter {}. Fetch EVENTS again if it is older."),
    "dataset.ended_twice": ("Truy vấn {} kết thúc hai lần trong nhật ký.", "The query {} ends twice in the log."),
    "fetch.address": ("Không phải địa chỉ http(s) của một sàn: {}.", "Not the http(s) address of a service: {}."),
    "fetch.away": ("Chưa lấy được nhật ký: {} không trả lời như mong đợi. Hãy thử lại sau.",
                   "The log was not fetched: {} did not answer as it should. Try again later."),
    "export.zip": ("Không phải tệp zip của một bản xuất, hoặc bị hỏng.", "Not the zip of an export, or damaged."),
    "export.form": ("Tệp này chỉ đọc NDJSON và CSV: hãy xuất lại cùng tìm kiếm ở một trong hai dạng đó.",
                    "This file reads NDJSON and CSV only: export the same search again in one of those forms."),
    "export.key": ("Bản kê nêu khóa khác với khóa đã cho.", "The manifest names another key than the one given."),
    "export.manifest": ("Số dòng hoặc mã băm khác với bản kê.", "Rows or their hash differ from the manifest."),
    "export.row": ("Dòng {} không có lá trong điểm kiểm tra của bản xuất.",
                   "The row {} has no leaf below the export's checkpoint."),
    "export.twice": ("Lá {} có hai dòng.", "Leaf {} has two rows."),
    "export.closed": ("Dòng của lá {} thiếu muối. Nếu muối đã bị xóa: --erased.",
                      "The row of leaf {} lacks its salt. If it was erased: --erased."),
    "export.uncounted": ("Một lần sử dụng, lá {}, không nằm trong chuỗi của bộ dữ liệu.",
                         "A use, leaf {}, stands outside the chain of its dataset."),
    "export.chain": ("Chuỗi của bộ dữ liệu bị hở hoặc có hai: {}.",
                     "The chain of a dataset has a gap, or is two: {}."),
    "export.left_out": ("Bản xuất thiếu dòng của các lá {}.", "The export leaves out the rows of leaves {}."),
}  # fmt: skip
"""Code -> what is said of it, Vietnamese and English."""


class Refused(ValueError):
    """What was checked does not hold. `code` is one of TEXTS, `detail` names the place, never a secret."""

    def __init__(self, code: str, detail: object = "") -> None:
        self.code, self.detail = code, str(detail)
        super().__init__(self.said[1])

    @property
    def said(self) -> tuple[str, str]:
        """Vietnamese, English."""
        vi, en = TEXTS[self.code]
        return vi.format(self.detail), en.format(self.detail)


@dataclass(frozen=True)
class Check:
    """One thing that was checked; `code`, `vi` and `en` are empty where it holds."""

    name: str
    ok: bool
    detail: str = ""
    code: str = ""
    vi: str = ""
    en: str = ""


def holds(checks: Iterable[Check]) -> bool:
    """Whether every check does."""
    return all(check.ok for check in checks)


def checked(name: str, rule: Callable[..., str], *arguments: Any) -> Check:
    """What `rule` gives as detail, or what it refused."""
    try:
        return Check(name, True, rule(*arguments))
    except Refused as refused:
        return Check(name, False, refused.detail, refused.code, *refused.said)


# JSON that means one thing only: canonical form, integers, no key twice; and bytes written as text.

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 50


class Fraction(str):
    """A fraction as it was written: no two programs print them alike."""


def load(data: bytes) -> Any:
    """JSON with integers as its only numbers, no key twice. Raises Refused."""
    if len(data) > MAX_BYTES:
        raise Refused("form.size", MAX_BYTES)
    return one_of(utf8(data), no_number)


def utf8(data: bytes) -> str:
    """As text. Raises Refused."""
    try:
        return data.decode()
    except UnicodeDecodeError as wrong:
        raise Refused("form.encoding") from wrong


def one_of(text: str, fraction: Callable[[str], Any]) -> Any:
    """The one document that the text is. Raises Refused."""
    found = list(documents(text, fraction))
    if len(found) != 1:
        raise Refused("form.json", "1:1")
    return found[0]


def documents(text: str, fraction: Callable[[str], Any]) -> Iterator[Any]:
    """Documents one after another. `fraction` makes something of what is no integer. Raises Refused."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_unique,
        parse_float=fraction,
        parse_int=_integer,
        parse_constant=no_number,
    )
    at = _skipped(text, 0)
    while at < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except RecursionError as wrong:
            raise Refused("form.depth", MAX_DEPTH) from wrong
        except json.JSONDecodeError as wrong:
            raise Refused("form.json", f"{wrong.lineno}:{wrong.colno}") from wrong
        _bounded(value, MAX_DEPTH)
        yield value
        at = _skipped(text, at)


def _skipped(text: str, at: int) -> int:
    found = re.compile("[ \t\r\n]*").match(text, at)
    return found.end() if found else at


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Refused("form.twice", ascii(name)[:80])
        found[name] = value
    return found


def no_number(token: str) -> Any:
    """Raises Refused."""
    raise Refused("form.number", token[:40])


def _integer(token: str) -> int:
    if len(token) > 17 or abs(int(token)) >= 2**53 or str(int(token)) != token:
        raise Refused("form.number", token[:40])
    return int(token)


def _bounded(value: Any, depth: int) -> None:
    """Neither too deep nor half of a surrogate pair, which no other program reads as this one does."""
    if depth == 0:
        raise Refused("form.depth", MAX_DEPTH)
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as wrong:
            raise Refused("form.encoding") from wrong
    children = (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in children:
        _bounded(each, depth - 1)


def canonical(value: Any) -> str:
    """As RFC 8785: keys sorted, no spaces, nothing escaped that need not be."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_text(name)}:{canonical(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(canonical, value)) + "]"
    return value if isinstance(value, Fraction) else _text(value)


_text = json.JSONEncoder(ensure_ascii=False).encode


def hex32(text: str) -> bytes:
    """32 bytes from lower-case hexadecimal. Raises Refused."""
    if re.fullmatch("[0-9a-f]{64}", text) is None:
        raise Refused("form.hex", ascii(text)[:80])
    return bytes.fromhex(text)


def base64_of(text: str) -> bytes:
    """Its bytes. Of the spellings that decode alike only one is taken, so that no changed byte passes."""
    try:
        data = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise Refused("form.base64", ascii(text)[:80]) from wrong
    if base64.b64encode(data).decode() != text:
        raise Refused("form.base64", ascii(text)[:80])
    return data


def shaped(value: Any, shape: Any, path: str) -> None:
    """Raises Refused unless the value is of these types, [a list of such], or {an object of just these}."""
    if isinstance(shape, list):
        if type(value) is not list:
            raise Refused("form.field", path)
        for each in value:
            shaped(each, shape[0], path)
    elif isinstance(shape, Mapping):
        if type(value) is not dict or set(value) != set(shape):
            wrong = set(value) ^ set(shape) if isinstance(value, dict) else ()
            raise Refused("form.field", ascii(".".join(filter(None, (path, *sorted(wrong)[:1]))))[1:-1][:80])
        for name, each in shape.items():
            shaped(value[name], each, f"{path}.{name}".strip("."))
    elif type(value) not in shape:
        raise Refused("form.field", path)


def read_file(path: Path, limit: int) -> bytes:
    """Its bytes. Raises Refused where it is missing, or longer than `limit` bytes."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as wrong:
        raise Refused("log.missing", path.name) from wrong
    if len(data) > limit:
        raise Refused("form.size", limit)
    return data


# C2SP signed notes, Ed25519, the checkpoints (tlog-checkpoint) and cosignatures (tlog-cosignature) in them.

ED25519, COSIGNATURE = 0x01, 0x04
LAST_S = 253_402_300_799
"""The end of the year 9999, behind which no date is written."""
DASH = "\u2014"


@dataclass(frozen=True)
class VerifierKey:
    """Whom to believe: a name and an Ed25519 public key (32 bytes). kind: ED25519, a witness COSIGNATURE."""

    name: str
    public: bytes
    kind: int = ED25519

    @property
    def id(self) -> bytes:
        """4 bytes, as in each signature line."""
        return hashlib.sha256(b"%b\n%c%b" % (self.name.encode(), self.kind, self.public)).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"


@dataclass(frozen=True)
class Head:
    """What a checkpoint says: a log of this origin had this many leaves under this root (32 bytes)."""

    origin: str
    size: int
    root: bytes


def parse_key(text: str, kind: int = ED25519) -> VerifierKey:
    """A verifier key from `name+hash+base64`. Raises Refused."""
    name, hash_hex, raw = [*text.strip().split("+", 2), "", ""][:3]
    data = base64_of(raw)
    if not _is_name(name) or data[:1] != bytes([kind]) or len(data) != 33:
        raise Refused("key.form")
    key = VerifierKey(name, data[1:], kind)
    if key.id.hex() != hash_hex:
        raise Refused("key.form")
    return key


def open_note(note: str, keys: Sequence[VerifierKey]) -> tuple[str, tuple[VerifierKey, ...]]:
    """The note's text, and those of `keys` that signed it. Raises Refused: no note, or a forged signature."""
    if any("\ud800" <= c <= "\udfff" for c in note):
        raise Refused("form.encoding")
    text, blank, signatures = note.rpartition("\n\n")
    text += "\n"
    if not blank or not signatures.endswith("\n") or any(c < " " and c != "\n" for c in note):
        raise Refused("note.form", "a text, a blank line, signature lines")
    signed = []
    for line in signatures[:-1].split("\n"):
        dash, name, raw = [*line.split(" "), "", ""][:3]
        data = base64_of(raw)
        if dash != DASH or line.count(" ") != 2 or not _is_name(name) or len(data) < 5:
            raise Refused("note.form", ascii(line)[:80])
        for key in keys:
            if (name, data[:4]) == (key.name, key.id):
                _require_signed(text.encode(), data[4:], key)
                signed.append(key)
    return text, tuple(dict.fromkeys(signed))


def open_checkpoint(note: str, key: VerifierKey, witnesses: Sequence[VerifierKey] = ()) -> Head:
    """What the note says, once `key` and each of `witnesses` are seen to have signed it. Raises Refused."""
    text, signers = open_note(note, (key, *witnesses))
    for each in (key, *witnesses):
        if each not in signers:
            raise Refused("note.unsigned", each.name)
    lines = text.split("\n")[:-1]
    if len(lines) < 3 or "" in lines or lines[0] != key.name:
        raise Refused("note.head", f"1 ({ascii(lines[0])[:80]})")
    root = base64_of(lines[2])
    if re.fullmatch("0|[1-9][0-9]{0,17}", lines[1]) is None or len(root) != 32:
        raise Refused("note.head", "2, 3")
    return Head(lines[0], int(lines[1]), root)


def cosigned_text(text: str, time_s: int) -> bytes:
    """What a witness signs of a checkpoint's text (C2SP tlog-cosignature, Ed25519)."""
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def cosigned_at(note: str, witness: VerifierKey) -> str:
    """The newest instant at which a witness signed this opened note, ISO 8601: an old head shows by it."""
    lines = (line.split(" ") for line in note.rpartition("\n\n")[2].splitlines())
    signed = (base64_of(line[2]) for line in lines if line[1] == witness.name)
    newest = max(int.from_bytes(each[4:12], "big") for each in signed if each[:4] == witness.id)
    return datetime.fromtimestamp(min(newest, LAST_S), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _require_signed(text: bytes, signature: bytes, key: VerifierKey) -> None:
    if key.kind == COSIGNATURE:
        time_s, signature = int.from_bytes(signature[:8], "big"), signature[8:]
        text = cosigned_text(text.decode(), time_s)
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text)
    except (InvalidSignature, ValueError) as wrong:
        raise Refused("note.forged", key.name) from wrong


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() for c in name)


# The Merkle tree of RFC 6962 (RFC 9162 the same): roots, and what proofs prove.

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, or over the roots of subtrees of one size, of which the last may be smaller."""
    level, sha256 = list(hashes), hashlib.sha256
    while len(level) > 1:
        pairs = [
            sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        level = pairs + level[len(pairs) * 2 :]
    return level[0] if level else EMPTY_ROOT


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """That the leaf hash is in the tree, by a proof as in RFC 9162 section 2.1.3."""
    if not 0 <= index < size:
        return False
    lies_right = []  # from the root down
    while size > 1:
        middle = split(size)
        lies_right.append(index >= middle)
        index, size = (index - middle, size - middle) if index >= middle else (index, middle)
    if len(proof) != len(lies_right):
        return False
    for right, each in zip(reversed(lies_right), proof, strict=True):
        leaf = node_hash(each, leaf) if right else node_hash(leaf, each)
    return leaf == root


def verify_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """RFC 9162 section 2.1.4; also that a tree is consistent with itself and with the empty one."""
    if first == 0:
        return not proof and first_root == EMPTY_ROOT and (second > 0 or second_root == EMPTY_ROOT)
    if not 0 < first <= second:
        return False
    left = list(proof)
    try:
        roots = _both_roots(first, second, left, first_root, whole=True)
    except IndexError:
        return False
    return not left and roots == (first_root, second_root)


def _both_roots(first: int, second: int, proof: list[bytes], old: bytes, *, whole: bool) -> tuple[bytes, bytes]:
    """Roots of the older and the newer tree. `whole`: the older is a subtree of the newer, and `old` its root."""
    if first == second:
        known = old if whole else proof.pop(0)
        return known, known
    middle = split(second)
    if first <= middle:
        older, newer = _both_roots(first, middle, proof, old, whole=whole)
        return older, node_hash(newer, proof.pop(0))
    older, newer = _both_roots(first - middle, second - middle, proof, old, whole=False)
    sibling = proof.pop(0)
    return node_hash(sibling, older), node_hash(sibling, newer)


def split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


# A receipt as a C2SP tlog-proof: the proof as any log's, and in its `extra` line what opens the leaf.

HEADER = "c2sp.org/tlog-proof@v1\n"


def is_bundle(data: bytes) -> bool:
    """Whether it begins as a tlog-proof does."""
    return data.startswith(HEADER.encode())


def unbundled(data: bytes) -> Any:
    """The receipt in it. Raises Refused."""
    if len(data) > MAX_BYTES:
        raise Refused("form.size", MAX_BYTES)
    head, blank, note = utf8(data).removeprefix(HEADER).partition("\n\n")
    extra, index, *hashes = [*head.split("\n"), ""][:-1] if "\n" in head else ("", "")
    found = re.fullmatch("index (0|[1-9][0-9]{0,15})", index, re.ASCII)
    if not blank or found is None or not extra.startswith("extra "):
        raise Refused("form.proof", "a line `extra`, a line `index`, hashes, a blank line, a checkpoint")
    receipt = load(base64_of(extra.removeprefix("extra ")))
    if not isinstance(receipt, dict) or "log" in receipt or "leaf" not in receipt:
        raise Refused("form.field", "leaf")
    inclusion = [base64_of(each).hex() for each in hashes]
    leaf = receipt.pop("leaf")
    return receipt | {"log": {"index": int(found[1]), "leaf": leaf, "inclusion": inclusion, "checkpoint": note}}


# A receipt: an event, the proof that it is in the log, and the facts that its edition opens.

MAX_FACTS = 10_000
TEXT, NUMBER, OBJECT = (str,), (int,), (dict,)
MAYBE_TEXT, MAYBE_NUMBER, MAYBE_OBJECT = (str, type(None)), (int, type(None)), (dict, type(None))
FROM_EVENT = {"query_id": MAYBE_TEXT, "price_vnd": MAYBE_NUMBER, "purpose": MAYBE_TEXT, "version_id": MAYBE_TEXT,
              "revision": MAYBE_NUMBER}  # fmt: skip
FROM_BODY = {"outcome": MAYBE_TEXT, "decision": MAYBE_OBJECT, "usage": MAYBE_OBJECT, "columns": [TEXT],
             "result_sha256": MAYBE_TEXT}  # fmt: skip
EVENT = FROM_EVENT | {
    "id": TEXT, "at": NUMBER, "name": TEXT, "actor_person_id": MAYBE_TEXT, "actor_organisation_id": MAYBE_TEXT,
    "parties": [TEXT], "dataset_id": MAYBE_TEXT, "agreement_id": MAYBE_TEXT, "bytes": MAYBE_NUMBER, "body": OBJECT,
}  # fmt: skip
FACT = {"index": NUMBER, "name": TEXT, "value": TEXT, "salt": TEXT}
OPENED = {"size": NUMBER, "facts": [FACT], "closed": [TEXT]}
LOG = {"index": NUMBER, "leaf": TEXT, "inclusion": [TEXT], "checkpoint": TEXT}
RECEIPT = FROM_EVENT | FROM_BODY | {"version": NUMBER, "decision_id": MAYBE_TEXT, "event": EVENT, "salt": TEXT,
                                    "facts": MAYBE_OBJECT, "settled": MAYBE_OBJECT, "log": LOG}  # fmt: skip
TREES = ("facts", "settled")
VERSION = 4
FACT_LEAF = b"sandulieu fact/1\n"
LEAF_FORM = rb'\{"c":"([0-9a-f]{64})","l":"[0-9a-f]{64}"\}'
LEAF = re.compile(LEAF_FORM)


def check_receipt(data: bytes, key: VerifierKey, witnesses: Sequence[VerifierKey] = ()) -> tuple[Check, ...]:
    """Form, signature, inclusion, commitment to the event, repeated fields, opened facts."""
    read: list[dict[str, Any]] = []

    def form() -> str:
        read.append(read_receipt(data))
        return ""

    formed = checked("form", form)
    if not formed.ok:
        return (formed,)
    receipt = read[0]
    return (
        formed,
        checked("signature", signed_by, receipt["log"]["checkpoint"], key, witnesses),
        checked("inclusion", _inclusion, receipt["log"], key),
        checked("event", _event, receipt),
        checked("fields", _fields, receipt),
        checked("opened", _opened, receipt),
    )


def read_receipt(data: bytes) -> dict[str, Any]:
    """A receipt of this version, as JSON or as a tlog-proof, every field of its type. Raises Refused."""
    receipt: dict[str, Any] = unbundled(data) if is_bundle(data) else load(data)
    shaped(receipt, RECEIPT, "")
    for tree in TREES:
        if receipt[tree] is not None:
            shaped(receipt[tree], OPENED, tree)
    if receipt["version"] != VERSION:
        raise Refused("form.field", "version")
    return receipt


def signed_by(note: str, key: VerifierKey, witnesses: Sequence[VerifierKey]) -> str:
    """Origin and size of a checkpoint; its witnesses, and as of when each knew no longer log. Raises Refused."""
    head = open_checkpoint(note, key, witnesses)
    return ", ".join(
        (head.origin, str(head.size), *(f"{each.name} {cosigned_at(note, each)}" for each in witnesses))
    )


def _inclusion(log: Mapping[str, Any], key: VerifierKey) -> str:
    head = open_checkpoint(log["checkpoint"], key)
    proof = [hex32(each) for each in log["inclusion"]]
    if not verify_inclusion(leaf_hash(log["leaf"].encode()), log["index"], head.size, proof, head.root):
        raise Refused("inclusion.path", log["index"])
    return f"{log['index']} < {head.size}"


def _event(receipt: Mapping[str, Any]) -> str:
    log, event, salt = receipt["log"], receipt["event"], receipt["salt"]
    leaf = LEAF.fullmatch(log["leaf"].encode())
    if leaf is None:
        raise Refused("leaf.form", log["index"])
    if commitment(salt, event) != leaf[1]:
        raise Refused("event.commitment")
    return f"{event['name']} {receipt['decision_id'] or ''}".rstrip()


def commitment(salt: str, event: Mapping[str, Any]) -> bytes:
    """SHA-256(salt || canonical JSON of the event), in hexadecimal as the leaf has it. Raises Refused."""
    if re.fullmatch("(?:[0-9a-f]{2}){1,64}", salt) is None:
        raise Refused("form.hex", ascii(salt)[:80])
    return hashlib.sha256(bytes.fromhex(salt) + canonical(event).encode()).hexdigest().encode()


def repeated(event: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a receipt that repeat its event, taken from the event."""
    body = event["body"]
    fields = {name: event[name] for name in FROM_EVENT} | {name: body.get(name) for name in FROM_BODY}
    columns = fields["columns"] or ()
    fields["columns"] = tuple(columns) if isinstance(columns, list | tuple) else columns
    return fields | {"decision_id": body.get("decision_id", event["query_id"])}


def _fields(receipt: Mapping[str, Any]) -> str:
    for name, value in repeated(receipt["event"]).items():
        if canonical(receipt[name]) != canonical(value):  # as JSON, because in Python 1 == True
            raise Refused("fields.differ", name)
    return ""


def _opened(receipt: Mapping[str, Any]) -> str:
    """Of each tree, what is open and what is closed give the root in the event."""
    told = []
    for name in TREES:
        head, opened = receipt["event"]["body"].get(name), receipt[name]
        if opened is None and head is None:
            continue
        if opened is None or canonical(head) != canonical(
            {"root": opened_root(opened).hex(), "size": opened["size"]}
        ):
            raise Refused("facts.root", name)
        told.append(f"{name} {len(opened['facts'])} of {opened['size']}")
    return ", ".join(told)


def opened_root(opened: Mapping[str, Any]) -> bytes:
    """The root that opened facts and closed hashes give. Raises Refused: they are no edition of any tree."""
    facts, size = opened["facts"], opened["size"]
    names, indices = [fact["name"] for fact in facts], [fact["index"] for fact in facts]
    if not 0 <= size <= MAX_FACTS or names != sorted(set(names)) or indices != sorted(set(indices)):
        raise Refused("facts.order")
    if indices and not 0 <= indices[0] <= indices[-1] < size:
        raise Refused("facts.order")
    leaves = {fact["index"]: _fact_hash(fact) for fact in facts}
    closed = iter([hex32(each) for each in opened["closed"]])
    try:
        root = _subtree(0, size, indices, leaves, closed) if size else EMPTY_ROOT
    except StopIteration:
        raise Refused("facts.order") from None
    if next(closed, None) is not None:
        raise Refused("facts.order")
    return root


def _subtree(
    start: int, end: int, indices: Sequence[int], leaves: Mapping[int, bytes], closed: Iterator[bytes]
) -> bytes:
    """Of a part without an opened leaf the next closed hash, from left to right."""
    at = bisect_left(indices, start)
    if at == len(indices) or indices[at] >= end:
        return next(closed)
    if end - start == 1:
        return leaves[start]
    middle = start + split(end - start)
    left = _subtree(start, middle, indices, leaves, closed)
    return node_hash(left, _subtree(middle, end, indices, leaves, closed))


def _fact_hash(fact: Mapping[str, Any]) -> bytes:
    name, value = fact["name"], fact["value"]
    if re.fullmatch("[A-Za-z0-9_.]+", name) is None or canonical(one_of(value, Fraction)) != value:
        raise Refused("facts.value", ascii(name)[:80])
    return leaf_hash(FACT_LEAF + hex32(fact["salt"]) + f'["{name}",{value}]'.encode())


# An exported log: C2SP tlog-tiles in a folder, every hash computed again.

WIDTH = 256
LEAF_BYTES = 143
ENTRIES = re.compile(rb"\x00\x8f(" + LEAF_FORM.replace(b"(", b"(?:") + rb")")
"""Each leaf behind its length in two bytes; all are of one form, and so of one length."""


class Tiles(Protocol):
    """Where the tiles and entry bundles of a log come from."""

    def stored(self, kind: str, number: int, width: int, item_bytes: int, /) -> bytes:
        """Of a level or `entries`. A partial one may be gone where a wider one is: then the first items of that.

        Raises Refused."""


class TilesInFolder:
    """As an exported log has them, below `tile/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stored(self, kind: str, number: int, width: int, item_bytes: int) -> bytes:
        """Raises Refused."""
        folder = self.folder / "tile" / kind
        path = folder / tile_path(number, width)
        if width < WIDTH and not path.exists():
            partial = folder / f"{tile_path(number, WIDTH)}.p"
            names = (each.name for each in partial.glob("*"))
            widths = sorted(int(name) for name in names if re.fullmatch("[1-9][0-9]{0,2}", name))
            wider = [tile_path(number, each) for each in (*widths, WIDTH) if each > width]
            path = next((folder / each for each in wider if (folder / each).exists()), path)
            return read_file(path, WIDTH * item_bytes)[: width * item_bytes]
        return read_file(path, WIDTH * item_bytes)


class Look(Protocol):
    """What is looked for in a log."""

    def look(self, first: int, leaves: Sequence[bytes], data: bytes, /) -> None:
        """At the next leaves, of which `first` is the index of the first, and their bundle. Raises Refused."""


@dataclass(frozen=True)
class Looked:
    """To look for in a log. `leaves`: by index, what the leaf there must be; `never`: what must be in none."""

    leaves: Mapping[int, bytes]
    never: bytes
    counter: int
    """Of the event that `never` would be the link of."""

    @cached_property
    def tiles(self) -> set[int]:
        return {index // WIDTH for index in self.leaves}

    def look(self, first: int, leaves: Sequence[bytes], data: bytes) -> None:
        """Raises Refused."""
        if self.never in data:
            raise Refused("dataset.kept_back", self.counter)
        if first // WIDTH in self.tiles:
            for index, leaf in enumerate(leaves, first):
                if self.leaves.get(index, leaf) != leaf:
                    raise Refused("dataset.leaf", index)


class Walk:
    """A log as its leaves come by. `levels`: at each level of tiles, the hashes that fill no whole tile yet."""

    def __init__(self, tiles: Tiles, wanted: Iterable[int], looked: Look | None) -> None:
        self.tiles, self.wanted, self.looked = tiles, sorted(set(wanted)), looked
        self.size = 0
        self.levels: list[list[bytes]] = [[]]
        self.roots: dict[int, bytes] = {0: EMPTY_ROOT}

    def whole(self, head: Head) -> str:
        """All leaves are there, and give the tiles and the root. Raises Refused."""
        while self.size < head.size:
            self.take(min(WIDTH, head.size - self.size))
        for level, tile in enumerate(self.levels):
            if tile:
                self._compare(level, tile)
        if self.roots[head.size] != head.root:
            raise Refused("log.root", head.size)
        return str(head.size)

    def continues(self, older: Head, head: Head) -> str:
        """The log begins with what an older head says. Raises Refused."""
        if older.size > head.size:
            raise Refused("log.short", older.size)
        if self.roots.get(older.size) != older.root:
            raise Refused("consistency.fork", f"{older.size}, {head.size}")
        return f"{older.size}, {head.size}"

    def take(self, width: int) -> None:
        """The next `width` leaves: a whole tile, or the last one. Raises Refused."""
        number = self.size // WIDTH
        name = f"entries/{tile_path(number, width)}"
        data = self.tiles.stored("entries", number, width, 2 + LEAF_BYTES)
        leaves = ENTRIES.findall(data)
        if len(leaves) != width or len(data) != width * (2 + LEAF_BYTES):
            raise Refused("log.bundle", name)
        if self.looked is not None:
            self.looked.look(self.size, leaves, data)
        sha256 = hashlib.sha256
        hashes = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
        for size in self.wanted:
            if self.size < size <= self.size + width:
                self.roots[size] = self._root(hashes[: size - self.size])
        self.size += width
        self._grow(hashes)

    def _grow(self, hashes: list[bytes]) -> None:
        """The tiles over these leaf hashes are stored as they should be."""
        self.levels[0] = hashes
        for level in range(len(self.levels)):
            tile = self.levels[level]
            if len(tile) == WIDTH:
                self._compare(level, tile)
                if level + 1 == len(self.levels):
                    self.levels.append([])
                self.levels[level + 1].append(root_of(tile))
                self.levels[level] = []

    def _compare(self, level: int, tile: Sequence[bytes]) -> None:
        number = ((self.size >> 8 * level) - 1) // WIDTH
        name = f"{level}/{tile_path(number, len(tile))}"
        stored = self.tiles.stored(str(level), number, len(tile), 32)
        if stored != b"".join(tile):
            at = next((n for n, each in enumerate(tile) if stored[32 * n : 32 * n + 32] != each), len(tile))
            first = ((self.size >> 8 * level) - len(tile) + at) << 8 * level
            raise Refused("log.tile", f"{name}, leaf {first}")

    def _root(self, bottom: list[bytes]) -> bytes:
        """Of the tree that ends with `bottom`: each level lies on what is left of the one below."""
        rest: list[bytes] = []
        for tile in (bottom, *self.levels[1:]):
            if tile or rest:
                rest = [root_of([*tile, *rest])]
        return rest[0] if rest else EMPTY_ROOT


def check_log(
    folder: Path,
    key: VerifierKey,
    *,
    seen: Sequence[bytes] = (),
    witnesses: Sequence[VerifierKey] = (),
    looked: Look | None = None,
    named: str = "checkpoint",
) -> tuple[Check, ...]:
    """Signature, and every leaf and tile of an exported log; that it continues each checkpoint of `seen`.

    `looked`: what is looked for on the way; `named`: the checkpoint's file. Raises OSError where there is none.
    """
    with (folder / named).open("rb") as file:
        note = file.read(MAX_BYTES)
    return check_tiles(TilesInFolder(folder), note, key, seen=seen, witnesses=witnesses, looked=looked)


def check_tiles(
    tiles: Tiles,
    note: bytes,
    key: VerifierKey,
    *,
    seen: Sequence[bytes] = (),
    witnesses: Sequence[VerifierKey] = (),
    looked: Look | None = None,
) -> tuple[Check, ...]:
    """The same of a log whose checkpoint is `note`, wherever its tiles are: each is asked for once, in order."""
    signed = checked("signature", lambda: signed_by(utf8(note), key, witnesses))
    if not signed.ok:
        return (signed,)
    head, older = open_checkpoint(utf8(note), key), list[Head]()

    def kept(each: bytes) -> str:
        older.append(open_checkpoint(utf8(each), key))
        return str(older[-1].size)

    keeps = [checked("seen", kept, each) for each in seen]
    walk = Walk(tiles, (head.size, *(each.size for each in older)), looked)
    whole = checked("leaves", walk.whole, head)
    if not whole.ok:
        return (signed, *keeps, whole)
    return (signed, *keeps, whole, *(checked("consistency", walk.continues, each, head) for each in older))


def tile_path(number: int, width: int) -> str:
    groups, rest = f"{number % 1000:03}", number // 1000
    while rest:
        groups, rest = f"x{rest % 1000:03}/{groups}", rest // 1000
    return groups if width == WIDTH else f"{groups}.p/{width}"


# The public log from a service into a folder, of which then every hash is computed again.

BELOW = "/api/v1/audit"
TIMEOUT_S = 60
TRIES = 3
"""A log that grows takes partial tiles away, and a newer checkpoint names those that are there."""


class _Gone(Exception):
    """What was asked for is not there (any more)."""


def fetch_log(
    base: str, folder: Path, key: VerifierKey, *, witnesses: Sequence[VerifierKey] = ()
) -> tuple[Check, ...]:
    """The log that a service at `base` shows, in `folder`; one that is there must be continued. Tiles that are
    there are kept. Raises OSError."""
    kept = folder / "checkpoint"
    older = [kept.read_bytes()] if kept.exists() else []
    fetched = checked("fetched", lambda: _fetch(base.rstrip("/") + BELOW, folder, key))
    if not fetched.ok:
        return (fetched,)
    draft = folder / "checkpoint.new"
    checks = (fetched, *check_log(folder, key, seen=older, witnesses=witnesses, named=draft.name))
    if holds(checks):
        draft.replace(kept)
    return checks


def _fetch(base: str, folder: Path, key: VerifierKey) -> str:
    """Raises Refused, OSError."""
    for left in reversed(range(TRIES)):
        note = _get(f"{base}/checkpoint", MAX_BYTES)
        size = open_checkpoint(utf8(note), key).size
        try:
            asked = sum(_keep(base, folder, *each) for each in _names(size))
        except _Gone as gone:
            if left:
                continue
            raise Refused("log.missing", gone) from gone
        (folder / "checkpoint.new").write_bytes(note)
        return f"{asked} → {ascii(str(folder))[1:-1]}"
    raise AssertionError


def _names(size: int) -> Iterator[tuple[str, int]]:
    """Tiles of a log of that size, and how many bytes each has."""
    level, count = 0, size
    while count:
        for kind, item in (("entries", 2 + LEAF_BYTES), ("0", 32)) if level == 0 else ((str(level), 32),):
            for number in range(-(-count // WIDTH)):
                width = min(WIDTH, count - number * WIDTH)
                yield f"tile/{kind}/{tile_path(number, width)}", width * item
        level, count = level + 1, count // WIDTH


def _keep(base: str, folder: Path, name: str, size: int) -> bool:
    path = folder / name
    if path.exists() and path.stat().st_size == size:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(_get(f"{base}/{name}", size))
    draft.replace(path)
    return True


def _get(address: str, limit: int) -> bytes:
    if not address.startswith(("https://", "http://")):
        raise Refused("fetch.address", ascii(address)[1:-1][:200])
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:  # noqa: S310
            data: bytes = answer.read(limit + 1)
    except urllib.error.HTTPError as refused:
        if refused.code == 404:
            raise _Gone(address.rpartition(BELOW)[2]) from refused
        raise Refused("fetch.away", f"{ascii(address)[1:-1][:200]}: {refused.code}") from refused
    except (OSError, ValueError) as away:
        raise Refused("fetch.away", ascii(address)[1:-1][:200]) from away
    if len(data) > limit:
        raise Refused("form.size", limit)
    return data


# That the exported events of a dataset leave none out.

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


# That an export holds what the log does: each row opens its leaf, and of a whole one none is left out.

USES = ("query:settle", "query:void", "query:deny", "query:cancel", "query:fetch", "quote:deny")
"""Each stands in the chain of the dataset that it names."""
MANIFEST = {"schema": TEXT, "search": OBJECT, "view": TEXT, "organisation_id": TEXT, "person_id": TEXT,
            "begun_at": TEXT, "events": NUMBER, "file": TEXT, "bytes": NUMBER, "sha256": TEXT, "checkpoint": TEXT,
            "log_key": TEXT}  # fmt: skip
ROW = VIEW | {"link": MAYBE_TEXT, "proof": MAYBE_TEXT}
MAX_LEAVES = 100_000_000
"""40 bytes of memory each; 24 more for each use, and some hundreds for each query that ended."""
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, csv.Error, LookupError, EOFError, RuntimeError,
           ValueError, OSError)  # fmt: skip
"""What the reader of zips says of one that is not whole."""
NAMED = 20
"""So many of what is missing are named."""
IN_JSON = ("parties", "body", "revision", "bytes", "price_vnd", "leaf_index", "dataset_counter",
           "dataset_previous")  # fmt: skip
"""Columns of a CSV whose cells are JSON; `at` is ISO 8601 with its offset, the others are text, empty for null."""
MADE_HARMLESS = re.compile("(?:\\A|(?<=[;\\t\\r\\n]))'(?=[ \"]*[-=+@\\t\\r\\n＝＋－＠])")
"""An apostrophe that an export puts before what a spreadsheet would run."""
EPOCH, MS = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


class Rows:
    """The rows of an export, as what the leaves of its log must be. `whole`: nothing was searched for."""

    def __init__(self, size: int, *, whole: bool, erased: bool) -> None:
        self.size, self.whole, self.erased = size, whole, erased
        self.count = self.closed = 0
        self._leaves = bytearray(32 * size)
        self._at = array("q", bytes(8 * size))
        self._chains: dict[str, array[int]] = {}
        self._ended: set[tuple[str, str]] = set()

    def take(self, row: Mapping[str, Any]) -> None:
        """One row more. Raises Refused."""
        index, link = row["leaf_index"], row["link"]
        if type(index) is not int or not 0 <= index < self.size or link is None:
            raise Refused("export.row", ascii(row["id"])[1:-1][:80])
        if self._at[index]:
            raise Refused("export.twice", index)
        if row["salt"] is None and not self.erased:
            raise Refused("export.closed", index)
        self.closed += row["salt"] is None
        leaf = b'{"c":"%b","l":"%b"}' % (opened_commitment(row), hex32(link).hex().encode())
        self._leaves[32 * index : 32 * index + 32] = hashlib.sha256(leaf).digest()
        self._at[index] = max(row["at"], 1)
        self._place(row, index)
        require_ended_once(row, self._ended)
        self.count += 1

    def _place(self, row: Mapping[str, Any], index: int) -> None:
        counter, previous = row["dataset_counter"], row["dataset_previous"]
        if counter is None:
            if row["name"] in USES and row["dataset_id"] is not None:
                raise Refused("export.uncounted", index)
            return
        if row["dataset_id"] is None:
            raise Refused("export.row", ascii(row["id"])[1:-1][:80])
        chain = self._chains.setdefault(row["dataset_id"], array("q"))
        chain.extend((counter, -1 if previous is None else previous, index))

    def require_chained(self) -> None:
        """Of each dataset the counters run from 0 without a gap. Raises Refused."""
        for dataset_id, flat in sorted(self._chains.items()):
            places = sorted(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
            for due, (counter, previous, index) in enumerate(places):
                if counter != due or previous != (places[due - 1][2] if due else -1) or previous >= index:
                    raise Refused("export.chain", f"{ascii(dataset_id)[1:-1][:80]}, {due}")

    def look(self, first: int, leaves: Sequence[bytes], _: bytes) -> None:
        """Raises Refused where a leaf is not its row's, or has none that it should have."""
        missing: list[int] = []
        for index, leaf in enumerate(leaves, first):
            if index >= self.size:
                break
            due = self._leaves[32 * index : 32 * index + 32]
            if self._at[index] == 0:
                missing.append(index)
            elif hashlib.sha256(leaf).digest() != due:
                raise Refused("dataset.leaf", index)
        if missing and self.whole:
            raise Refused("export.left_out", ", ".join(map(str, missing[:NAMED])))

    def back_ms(self) -> int:
        """How far an event's own time lies before that of an event with an earlier leaf, at most."""
        newest = back = 0
        for at in self._at:
            if at:
                newest, back = max(newest, at), max(back, newest - at)
        return back


def check_export(
    folder: Path, export: Path, key: VerifierKey, *, witnesses: Sequence[VerifierKey] = (), erased: bool = False
) -> tuple[Check, ...]:
    """An exported log that goes at least as far, and that the rows of `export` (NDJSON or CSV) are its leaves.

    Without a search and in the regulator's view every leaf must have its row. Raises OSError."""
    taken: list[tuple[Rows, str]] = []

    def rows() -> str:
        found, note = read_export(export, key, erased=erased)
        taken.append((found, note))
        back = f"giờ lùi / times run back by at most: {found.back_ms()} ms"
        return f"{found.count}, không mở / closed: {found.closed}; {back}"

    read = checked("rows", rows)
    if not read.ok:
        return (read,)
    found, note = taken[0]
    checks = check_log(folder, key, seen=[note.encode()], witnesses=witnesses, looked=found)
    if not holds(checks):
        return (*checks, read)
    if not found.whole:
        return (*checks, read, Check("part", True, "chỉ một phần / of a search: rows may be left out"))
    return (*checks, read, Check("complete", True, f"{found.count} / {found.size}"))


def read_export(path: Path, key: VerifierKey, *, erased: bool) -> tuple[Rows, str]:
    """Its rows, each of its form, and the checkpoint that it was made of. Raises Refused, OSError."""
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                rows, note = _read(archive, key, erased=erased)
        except Refused:
            raise
        except DAMAGED as wrong:
            raise Refused("export.zip") from wrong
    if rows.whole:
        rows.require_chained()
    return rows, note


def _read(archive: zipfile.ZipFile, key: VerifierKey, *, erased: bool) -> tuple[Rows, str]:
    with archive.open("manifest.json") as told:
        manifest = load(told.read(MAX_BYTES + 1))
    shaped(manifest, MANIFEST, "manifest")
    head = open_checkpoint(manifest["checkpoint"], key)
    if head.size > MAX_LEAVES:
        raise Refused("form.size", 40 * MAX_LEAVES)
    if manifest["log_key"] != str(key):
        raise Refused("export.key")
    if not manifest["file"].endswith((".ndjson", ".csv")):
        raise Refused("export.form")
    _require_alone(archive, manifest["file"])
    rows = Rows(head.size, whole=not manifest["search"] and manifest["view"] == "regulator", erased=erased)
    with archive.open(manifest["file"]) as lines:
        _take(rows, lines, manifest)
    return rows, manifest["checkpoint"]


def _require_alone(archive: zipfile.ZipFile, name: str) -> None:
    """These two files, each once: of two of one name another program may show the one that nobody checked.

    Raises Refused."""
    if sorted(archive.namelist()) != sorted(("manifest.json", name)):
        raise Refused("export.zip")
    if any(each.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for each in archive.infolist()):
        raise Refused("export.zip")


def _take(rows: Rows, lines: IO[bytes], manifest: Mapping[str, Any]) -> None:
    digest, count = hashlib.sha256(), 0

    def read() -> Iterator[bytes]:
        nonlocal count
        for line in _lines(lines):
            digest.update(line)
            count += len(line)
            yield line

    for row in _from_csv(read()) if manifest["file"].endswith(".csv") else map(load, read()):
        shaped(row, ROW, "")
        rows.take(row)
    if (digest.hexdigest(), count, rows.count) != (manifest["sha256"], manifest["bytes"], manifest["events"]):
        raise Refused("export.manifest")


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(MAX_BYTES + 1):
        yield line


def _from_csv(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The rows of a CSV as those of NDJSON. Raises Refused, csv.Error, ValueError."""
    csv.field_size_limit(MAX_BYTES)
    cells = csv.reader((utf8(line) for line in lines), strict=True)
    names = next(cells, [])
    if len(set(names)) != len(names):
        raise Refused("form.twice", "CSV")
    for each in cells:
        if len(each) != len(names):
            raise Refused("export.row", ascii("".join(each[:1]))[1:-1][:80])
        row = _row(names, each)
        try:
            shaped(row, ROW, "")
            opened_commitment(row)
        except Refused:
            row = _row(names, [MADE_HARMLESS.sub("", text) for text in each])
        yield row


def _row(names: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    return {name: _value(name, text) for name, text in zip(names, cells, strict=True)}


def _value(name: str, text: str) -> Any:
    if text == "":
        return None
    if name == "at" and not text.isdecimal():
        at = datetime.fromisoformat(text)
        since, rest = divmod(at - EPOCH, MS) if at.tzinfo else (0, MS)
        if rest:
            raise Refused("form.field", name)
        return since
    return load(text.encode()) if name in IN_JSON or name == "at" else text


# That one checkpoint continues another, by a proof alone.


def check_consistency(
    old: bytes, new: bytes, proof: bytes, key: VerifierKey, *, witnesses: Sequence[VerifierKey] = ()
) -> tuple[Check, ...]:
    """Both signatures, and that the newer tree begins with the older. `proof`: as GET …/consistency gives it."""

    def signature() -> str:
        open_checkpoint(utf8(old), key)
        return signed_by(utf8(new), key, witnesses)

    def consistency() -> str:
        first, second = open_checkpoint(utf8(old), key), open_checkpoint(utf8(new), key)
        told = load(proof)
        shaped(told, {"first": NUMBER, "second": NUMBER, "hashes": [TEXT]}, "")
        sizes = f"{first.size}, {second.size}"
        hashes = [hex32(each) for each in told["hashes"]]
        if (told["first"], told["second"]) != (first.size, second.size):
            raise Refused("consistency.other", f"{told['first']}, {told['second']} ≠ {sizes}")
        if not verify_consistency(first.size, second.size, first.root, second.root, hashes):
            raise Refused("consistency.fork", sizes)
        return sizes

    signed = checked("signature", signature)
    return (signed, checked("consistency", consistency)) if signed.ok else (signed,)


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
