"""A receipt as a C2SP tlog-proof: the proof as any log's, and in its `extra` line what opens the leaf."""

from __future__ import annotations

import re
from typing import Any

from marketplace.verifier.refusal import Refused
from marketplace.verifier.strict_json import MAX_BYTES, base64_of, load, utf8

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
