"""What another policy would loosen is found: DENY to ALLOW, and every obligation that demands less."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.build import BuildFailed
from policies.candidate import built
from policies.kept import KeptPolicy, keep
from policies.looser import AXES, PERSONAL, STATE, looser_axes
from policies.replay import Change, Past, Replay
from policies.situations import decided_cases
from policies.sources import FOLDER
from tests.examples import tried
from tests.policies.candidates import candidate

COLUMNS = st.lists(st.sampled_from(["age", "sex", "hours"]), unique=True)
FILTERS = st.lists(st.sampled_from([{"column": "age", "above": 17}, {"column": "sex", "is": "F"}]), max_size=2)
SMALL = st.integers(0, 3)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "mode": st.sampled_from(["rows", "aggregate"]),
    "columns": COLUMNS,
    "row_filter": FILTERS,
    "k_min": SMALL,
    "max_rows": SMALL,
    "max_bytes": SMALL,
    "epsilon": SMALL,
    "expires_at": SMALL,
    "recheck_after": SMALL,
    "consented_to": st.sampled_from(["research", "product"]),
    "state_class": st.sampled_from(STATE),
    "personal_class": st.sampled_from(PERSONAL),
}
obligations = st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()})


def said(document: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing, and without order."""
    kept = {
        name: value
        for name, value in document.items()
        if value is not None and (name, value) != ("row_filter", [])
    }
    return {name: sorted(map(str, value)) if isinstance(value, list) else value for name, value in kept.items()}


def test_every_axis_is_tried() -> None:
    assert VALUES.keys() == AXES.keys()


@settings(deadline=None)
@given(obligations)
def test_nothing_is_looser_than_itself_whatever_its_order(document: dict[str, Any]) -> None:
    turned = {name: value[::-1] if isinstance(value, list) else value for name, value in document.items()}
    assert looser_axes(document, turned) == ()


@settings(deadline=None, max_examples=tried(80))
@given(obligations, obligations)
def test_what_differs_is_looser_one_way_or_the_other(one: dict[str, Any], other: dict[str, Any]) -> None:
    there, back = looser_axes(one, other), looser_axes(other, one)
    first, second = said(one), said(other)
    differ = {name for name in VALUES if first.get(name) != second.get(name)}
    assert set(there) | set(back) == {name for name in differ if not duplicates_only(one, other, name)}


def duplicates_only(one: dict[str, Any], other: dict[str, Any], name: str) -> bool:
    """The same members, one of them twice: no other demand."""
    lists = one[name], other[name]
    return all(isinstance(each, list) for each in lists) and set(map(str, lists[0])) == set(map(str, lists[1]))


@settings(deadline=None, max_examples=tried(80))
@given(obligations, obligations, obligations)
def test_what_is_no_looser_twice_is_no_looser_at_all(
    one: dict[str, Any], two: dict[str, Any], three: dict[str, Any]
) -> None:
    for name in VALUES:
        if name not in looser_axes(one, two) and name not in looser_axes(two, three):
            assert name not in looser_axes(one, three)


@pytest.mark.parametrize(
    ("axis", "before", "after"),
    [
        ("columns", ["age"], ["age", "sex"]),
        ("row_filter", [{"column": "sex", "is": "F"}], []),
        ("k_min", 10, 9),
        ("max_rows", 10, 11),
        ("max_rows", 10, None),
        ("max_bytes", 10, "all"),
        ("epsilon", 0.5, 0.6),
        ("expires_at", 1, 2),
        ("consented_to", "research", None),
        ("state_class", "important", "internal"),
        ("state_class", "important", "unheard"),
        ("watermark", None, True),
        ("watermark", True, None),
    ],
)
def test_an_axis_that_demands_less_is_named(axis: str, before: object, after: object) -> None:
    assert looser_axes({axis: before, "mode": "rows"}, {axis: after, "mode": "rows"}) == (axis,)


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> KeptPolicy:
    return KeptPolicy(keep(tmp_path_factory.mktemp("policy") / "kept"))


@pytest.fixture(scope="module")
def decided(committed: KeptPolicy) -> tuple[Past, ...]:
    """The cases, as the committed policy decides them."""
    return tuple(decided_cases(FOLDER, committed))


def changes(opa: Path, decided: tuple[Past, ...], folder: Path) -> tuple[Replay, list[Change]]:
    """The same cases again, by the candidate."""
    with built(opa, folder) as policy:
        replay = Replay(policy)
        found = [replay.again(past) for past in decided]
    return replay, [change for change in found if change is not None]


def test_the_committed_policy_loosens_no_case_of_its_own(opa: Path, decided: tuple[Past, ...]) -> None:
    replay, found = changes(opa, decided, FOLDER)
    assert found == []
    assert replay.count.same == replay.count.decisions > 80


def test_a_lower_floor_is_found_as_denials_that_would_be_allowed(
    opa: Path, decided: tuple[Past, ...], tmp_path: Path
) -> None:
    replay, found = changes(opa, decided, candidate(tmp_path / "candidate", k_floor=1))
    assert "version.k_below_floor" in {code for change in found for code in change.what}
    assert {change.kind for change in found} == {"allowed"}
    assert replay.count.allowed == len(found)


def test_a_higher_limit_is_found_as_obligations_loosened(
    opa: Path, committed: KeptPolicy, decided: tuple[Past, ...], tmp_path: Path
) -> None:
    replay, found = changes(opa, decided, candidate(tmp_path / "candidate", max_bytes=2**30))
    assert found
    assert {(change.kind, change.what) for change in found} == {("loosened", ("max_bytes",))}
    assert replay.changes_sha256 != Replay(committed).changes_sha256


def test_a_stricter_policy_needs_nobodys_leave(opa: Path, decided: tuple[Past, ...], tmp_path: Path) -> None:
    replay, found = changes(opa, decided, candidate(tmp_path / "candidate", k_floor=1000, max_bytes=1))
    assert found == []
    assert replay.count.stricter > 10


def test_the_hash_is_of_these_changes_in_this_order(committed: KeptPolicy, decided: tuple[Past, ...]) -> None:
    pasts = [past for past in decided if past.decision["allow"]][:2]
    denied = [
        Past(name=past.name, question=past.question, decision={"allow": False, "reasons": [{"code": "a.b"}]})
        for past in pasts
    ]
    hashes = set()
    for order in (denied, denied[::-1], denied[:1]):
        replay = Replay(committed)
        for past in order:
            assert replay.again(past) == Change(name=past.name, kind="allowed", what=("a.b",))
        hashes.add(replay.changes_sha256)
    assert len(hashes) == 3


def test_what_no_rule_decided_is_counted_apart(committed: KeptPolicy, decided: tuple[Past, ...]) -> None:
    (past, *_) = [past for past in decided if past.decision["allow"]]
    replay = Replay(committed)
    unavailable = {"allow": False, "reasons": [{"code": "policy.engine_unavailable"}]}
    assert replay.again(Past(name="x", question=past.question, decision=unavailable)) is None
    assert replay.again(Past(name="y", question=b"{}", decision=past.decision)) is None
    assert (replay.count.undecided, replay.count.stricter) == (1, 1)


def test_a_candidate_that_does_not_compile_says_why(opa: Path, tmp_path: Path) -> None:
    folder = candidate(tmp_path / "candidate")
    (folder / "access" / "broken.rego").write_text("package access\n\nallow if nowhere\n")
    with pytest.raises(BuildFailed, match="nowhere"), built(opa, folder):
        pass
