"""A receipt checked as anybody may (`marketplace.verifier`), and with a kept policy its decision made again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from marketplace.audit.receipt import Receipt
from marketplace.texts import message
from marketplace.verifier.note import VerifierKey
from marketplace.verifier.receipt import check_receipt, read_receipt
from marketplace.verifier.refusal import Check, holds


class Verification(msgspec.Struct, frozen=True):
    """ok: every check holds. `receipt`: what was checked, None where it is not to be believed."""

    ok: bool
    checks: tuple[Check, ...]
    receipt: Receipt | None = None


def verify_receipt(
    data: bytes,
    public_key: VerifierKey,
    policy_folder: Path | None = None,
    witnesses: Sequence[VerifierKey] = (),
) -> Verification:
    """All that needs nothing of ours; with the folder of a kept policy also policy, facts, the decision anew."""
    checks = check_receipt(data, public_key, witnesses)
    if not holds(checks):
        return Verification(False, checks)
    receipt = msgspec.convert(read_receipt(data), Receipt)
    if policy_folder:
        checks += tuple(_again(receipt, policy_folder))
    return Verification(holds(checks), checks, receipt)


def _again(receipt: Receipt, folder: Path) -> Iterator[Check]:
    # Here, because the engine takes a tenth of a second to import, and most receipts are verified without.
    from marketplace.audit.again import Differs, checks

    for name, rule in checks(receipt, folder):
        try:
            yield Check(name, True, rule())
        except Differs as differs:
            code = f"verify.{name}"
            vi, en = (message(code, {"detail": str(differs)}, language) for language in ("vi", "en"))
            yield Check(name, False, str(differs), code, f"{vi.what} {vi.why}", f"{en.what} {en.why}")
