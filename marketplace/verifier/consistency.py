"""That one checkpoint continues another, by a proof alone."""

from __future__ import annotations

from collections.abc import Sequence

from marketplace.verifier.note import VerifierKey, open_checkpoint
from marketplace.verifier.receipt import NUMBER, TEXT, signed_by
from marketplace.verifier.refusal import Check, Refused, checked
from marketplace.verifier.strict_json import hex32, load, shaped, utf8
from marketplace.verifier.tree import verify_consistency


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
