"""`make check` holds the rules against those released last: what they loosen needs two people who signed it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.audit.approval import Approved, sign
from marketplace.audit.note import verifier_key
from marketplace.cli.loosening import RELEASED, adopt, check_released, loosened
from policies.build import wasm
from policies.kept import KeptPolicy, copy
from policies.module import BUILT, WASM, Built
from policies.replay import Change, Past, Replay
from policies.situations import decided_cases
from policies.sources import FOLDER, revision_of
from tests.examples import tried
from tests.policies.candidates import candidate
from tests.policies.conftest import program


def test_the_rules_of_this_checkout_loosen_nothing_that_was_not_approved() -> None:
    assert check_released().said == ""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout's `released`, with the policy of this one in it, and nobody who may approve."""
    place = tmp_path / "released"
    place.mkdir()
    (place / "people").write_text("# nobody\n")
    (place / "approvals").mkdir()
    assert adopt(FOLDER, place) == ""
    return place


def changed(folder: Path, **values: int) -> Path:
    """The policy with one number in its data changed, compiled as `policies build` would; with few cases."""
    candidate(folder, **values)
    for path in (folder / "cases").glob("*.json"):
        if path.stem not in ("bases", "version"):
            path.unlink()
    module = wasm(program("opa"), folder)
    (folder / WASM).write_bytes(module)
    stamp = Built(revision=revision_of(folder), sha256=hashlib.sha256(module).hexdigest())
    (folder / BUILT).write_bytes(msgspec.json.encode(stamp))
    return folder


@pytest.fixture(scope="module")
def looser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return changed(tmp_path_factory.mktemp("looser") / "policy", k_floor=1)


@pytest.fixture(scope="module")
def what(looser: Path) -> Approved:
    """What there is to approve."""
    return loosened(KeptPolicy(looser), looser, FOLDER).approved


def signed(root: Path, what: Approved, *names: str) -> None:
    """A note on `what` by these people; An and Bình may approve."""
    keys = {name: Ed25519PrivateKey.generate() for name in {*names, "an", "binh"}}
    (root / "people").write_text("".join(f"{verifier_key(name, keys[name])}\n" for name in ("an", "binh")))
    note = None
    for name in names:
        note = sign(what, note, name=name, key=keys[name])
    (root / "approvals" / what.candidate).write_text(note or "")


def test_a_looser_rule_fails_until_two_people_signed_exactly_that(
    root: Path, looser: Path, what: Approved
) -> None:
    said = check_released(looser, root).said
    assert "two people have not approved" in said
    assert "allowed version: groups smaller than the floor: version.k_below_floor" in said
    assert f"--approval released/approvals/{revision_of(looser)}" in said
    signed(root, what, "an", "chi")
    assert adopt(looser, root) == said, "one of them may not"
    assert revision_of(root / "policy") == revision_of(FOLDER)
    signed(root, msgspec.structs.replace(what, changes_sha256="0" * 64), "an", "binh")
    assert check_released(looser, root).said == said, "they signed another list"
    signed(root, what, "an", "binh")
    assert check_released(looser, root).said == ""
    assert adopt(looser, root) == ""
    assert revision_of(root / "policy") == revision_of(looser)


def test_a_new_case_that_is_looser_needs_a_new_approval(
    root: Path, looser: Path, what: Approved, tmp_path: Path
) -> None:
    signed(root, what, "an", "binh")
    more = tmp_path / "more"
    shutil.copytree(looser, more)
    path = more / "cases" / "version.json"
    cases = json.loads(path.read_bytes())
    before = next(case for case in cases["cases"] if case["name"] == "groups smaller than the floor")
    cases["cases"].append(before | {"name": "the same again"})
    path.write_text(json.dumps(cases))
    assert "the same again" in check_released(more, root).said


def test_a_stricter_rule_needs_nobody(root: Path, tmp_path: Path) -> None:
    stricter = changed(tmp_path / "stricter", k_floor=1000)
    assert check_released(stricter, root).said == ""
    assert adopt(stricter, root) == ""
    assert revision_of(root / "policy") == revision_of(stricter)


def test_a_released_policy_that_was_tampered_with_is_told(root: Path, looser: Path) -> None:
    for spoilt in ("policy/policy.wasm", "policy/access/rows.rego"):
        path = root / spoilt
        whole = path.read_bytes()
        path.write_bytes(whole + b"\n")
        said = check_released(looser, root).said
        assert "policy.wasm is not the module" in said or "policy.json says" in said
        path.write_bytes(whole)


def test_what_is_missing_is_told_and_never_passes(
    root: Path, looser: Path, what: Approved, tmp_path: Path
) -> None:
    signed(root, what, "an", "binh")
    (root / "people").unlink()
    assert "people" in check_released(looser, root).said
    assert check_released(looser, tmp_path / "nowhere").said
    assert RELEASED.is_dir()


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> KeptPolicy:
    folder = tmp_path_factory.mktemp("committed") / "policy"
    copy(FOLDER, folder)
    return KeptPolicy(folder)


@pytest.fixture(scope="module")
def allowed(committed: KeptPolicy) -> list[Past]:
    return [past for past in decided_cases(FOLDER, committed) if past.decision["allow"]]


@settings(max_examples=tried(20), deadline=None)
@given(st.data())
def test_whatever_was_stricter_before_is_found_and_what_was_not_is_not(
    committed: KeptPolicy, allowed: list[Past], data: st.DataObject
) -> None:
    """Before: what the policy says today, one thing of it made stricter, or looser."""
    past = data.draw(st.sampled_from(allowed))
    by = data.draw(st.integers(1, 10**6))
    stricter = data.draw(st.booleans())
    sign = 1 if stricter else -1
    owed = past.decision["obligations"]
    numbers = {"k_min": sign, "max_rows": -sign, "max_bytes": -sign, "expires_at": -sign, "recheck_after": -sign}
    axis = data.draw(st.sampled_from([name for name in numbers if isinstance(owed.get(name), int)]))
    before = past.decision | {"obligations": owed | {axis: owed[axis] + numbers[axis] * by}}
    found = Replay(committed).again(msgspec.structs.replace(past, decision=before))
    assert found == (Change(name=past.name, kind="loosened", what=(axis,)) if stricter else None)


@settings(max_examples=tried(12), deadline=None)
@given(st.data())
def test_whatever_was_denied_before_is_found(
    committed: KeptPolicy, allowed: list[Past], data: st.DataObject
) -> None:
    past = data.draw(st.sampled_from(allowed))
    codes = data.draw(
        st.sets(st.sampled_from(["consent.none", "agreement.ended", "price.over_ceiling"]), min_size=1)
    )
    denied = {"allow": False, "reasons": [{"code": code, "severity": "deny"} for code in codes]}
    found = Replay(committed).again(msgspec.structs.replace(past, decision=denied))
    assert found == Change(name=past.name, kind="allowed", what=tuple(sorted(codes)))
