"""For random trees: whatever byte of a receipt, a proof or a checkpoint is another, it does not verify."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.audit.canonical import canonical as ours
from marketplace.audit.facttree import FactTree
from marketplace.verifier.consistency import check_consistency
from marketplace.verifier.receipt import check_receipt
from marketplace.verifier.refusal import holds
from marketplace.verifier.strict_json import canonical, load
from tests.examples import tried
from tests.marketplace.verifier.material import Made, bundle_of, receipt_of

QUIET = settings(max_examples=tried(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])
names = st.from_regex(r"[a-z]{1,6}\.[a-z]{1,6}", fullmatch=True)
values = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8)


@st.composite
def logs(draw: st.DrawFn) -> Made:
    made, dataset = Made(), uuid4()
    for counts in draw(st.lists(st.booleans(), max_size=40)):
        made.add(dataset_id=dataset if counts else None)
    return made


def changed(data: st.DataObject, text: bytes) -> bytes:
    """One byte is another, is gone, or is one more."""
    at = data.draw(st.integers(0, 2**16)) % len(text)  # drawn apart from the text, which has keys and salts in it
    byte = bytes([text[at] ^ data.draw(st.integers(1, 255))])
    return data.draw(st.sampled_from([text[:at] + byte, text[:at]])) + text[at + 1 :]


@QUIET
@given(logs(), st.dictionaries(names, values, max_size=12), st.data())
def test_a_receipt_with_any_byte_changed_fails(log: Made, facts: dict[str, Any], data: st.DataObject) -> None:
    question: dict[str, dict[str, Any]] = {}
    for name, value in facts.items():
        section, _, fact = name.partition(".")
        question.setdefault(section, {})[fact] = value
    tree = FactTree(ours(question), None, bytes(32))
    for made in (receipt_of, bundle_of):
        receipt = made(log, edition="regulator", facts=tree)
        assert holds(check_receipt(receipt, log.key))
        for _ in range(5):
            assert not holds(check_receipt(changed(data, receipt), log.key))


@pytest.mark.parametrize("name", ["columns", "decision", "usage", "facts", "settled", "decision_id"])
@pytest.mark.parametrize("value", [None, True, 1, "x", ["x"], [[]], {"x": 1}])
def test_a_receipt_with_another_value_in_its_event_is_refused_whatever_it_is(name: str, value: Any) -> None:
    """Whoever writes a false receipt chooses values, not bytes: it is refused in words, not by a fault of ours."""
    log = Made()
    log.add()
    receipt = load(receipt_of(log, edition="regulator", facts=FactTree(ours({"a": {"b": 1}}), None, bytes(32))))
    if receipt["event"]["body"].get(name) != value:
        receipt["event"]["body"][name] = value
        assert not holds(check_receipt(canonical(receipt).encode(), log.key))


@QUIET
@given(st.integers(1, 60), st.data())
def test_a_consistency_proof_with_any_byte_changed_fails(second: int, data: st.DataObject) -> None:
    log = Made()
    for _ in range(second):
        log.add()
    first = data.draw(st.integers(1, second))
    parts = [log.checkpoint(first).encode(), log.checkpoint().encode(), log.consistency(first, second)]

    def proved(old: bytes, new: bytes, proof: bytes) -> bool:
        return holds(check_consistency(old, new, proof, log.key))

    assert proved(*parts)
    for at in (0, 1, 2):
        spoilt = [changed(data, each) if n == at else each for n, each in enumerate(parts)]
        assert not proved(*spoilt)


json_values = st.recursive(
    values, lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=5), below, max_size=4)
)


@given(json_values)
def test_canonical_json_is_the_exchange_s(value: Any) -> None:
    written = ours(value)
    assert canonical(load(written)).encode() == written
