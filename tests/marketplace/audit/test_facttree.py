"""The tree over a decision's facts: whatever is opened of it gives its root, and anything changed does not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from marketplace.audit import tree
from marketplace.audit.facttree import Fact, FactTree, Head, Opened, closed_whole, grow
from marketplace.verifier.receipt import OPENED, opened_root
from marketplace.verifier.refusal import Refused
from marketplace.verifier.strict_json import shaped
from tests.examples import tried
from tests.policies.cases import question

SEED = bytes(range(32))
TREE = FactTree(grow(question("rows", {})).question, "select tuổi from adult", SEED)
NAMES = list(TREE.values)
NOTHING: dict[str, Any] = {"size": 0, "facts": [], "closed": []}
CHOICES = st.sets(st.sampled_from(NAMES))


def shown(names: set[str], of: FactTree = TREE) -> Opened:
    return of.opened(lambda name: name in names)


def holds(opened: Opened, head: Head = TREE.head) -> bool:
    """As the verifier of a receipt: size and root are the event's."""
    try:
        document = msgspec.json.decode(msgspec.json.encode(opened))
        shaped(document, OPENED, "")
        return (opened_root(document).hex(), opened.size) == (head.root, head.size)
    except Refused:
        return False


@given(CHOICES)
def test_whatever_is_opened_leads_to_the_root(names: set[str]) -> None:
    opened = shown(names)
    assert holds(opened)
    assert {fact.name: fact.value for fact in opened.facts} == {name: TREE.values[name] for name in names}


@pytest.mark.parametrize("size", range(1, 70))
def test_the_root_is_that_of_rfc_6962(size: int) -> None:
    hashes = [tree.leaf_hash(bytes([n])) for n in range(size)]
    frontier: list[bytes] = []
    list(tree.append(frontier, 0, hashes))
    assert tree.root_of(hashes) == tree.fold(frontier)


def test_the_root_of_nothing_is_that_of_the_empty_tree() -> None:
    assert tree.root_of([]) == tree.EMPTY_ROOT == opened_root(NOTHING)


def one_changed(draw: Callable[[Any], Any], opened: Opened) -> Opened:
    """One thing of what is shown is another."""
    kinds = ["size"] + ["fact"] * 5 * bool(opened.facts) + ["closed"] * 2 * bool(opened.closed)
    kind = draw(st.sampled_from(kinds))
    if kind == "size":
        return replace(opened, size=draw(st.integers(0, 100)))
    if kind == "closed":
        return replace(opened, closed=changed_list(draw, opened.closed, st.sampled_from(opened.closed)))
    if draw(st.booleans()):
        return replace(opened, facts=changed_list(draw, opened.facts, st.sampled_from(opened.facts)))
    at = draw(st.integers(0, len(opened.facts) - 1))
    fact = opened.facts[at]
    field = draw(st.sampled_from(["index", "name", "value", "salt"]))
    salt = fact.salt
    values: Any = {
        "index": st.integers(-2, 60),
        "name": st.sampled_from(NAMES) | st.text(max_size=5),
        "value": st.sampled_from([fact.value + " ", "null", "true", "1", '"x"', "[]", "{}", ""]),
        "salt": st.sampled_from([f"{int(salt, 16) ^ 1:064x}", salt.upper(), salt + "00", "", "zz"]),
    }[field]
    facts = list(opened.facts)
    facts[at] = replace(fact, **{field: draw(values)})
    return replace(opened, facts=tuple(facts))


def changed_list(
    draw: Callable[[Any], Any], items: tuple[Any, ...], others: st.SearchStrategy[Any]
) -> tuple[Any, ...]:
    """Reordered, one left out, or one put in."""
    if draw(st.booleans()):
        return tuple(draw(st.permutations(items)))
    at, kept = draw(st.integers(0, len(items) - 1)), list(items)
    kept[at : at + draw(st.integers(0, 1))] = [draw(others)] * draw(st.integers(0, 1))
    return tuple(kept)


@settings(max_examples=tried(80), deadline=None)
@given(CHOICES, st.data())
def test_any_single_change_fails(names: set[str], data: st.DataObject) -> None:
    opened = shown(names)
    changed = one_changed(data.draw, opened)
    assume(changed != opened)
    assert not holds(changed)


@given(st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_two_facts_cannot_be_told_as_each_other(one: str, other: str) -> None:
    assume(one != other)
    first, second = shown({one, other}).facts
    names = replace(first, name=second.name), replace(second, name=first.name)
    values = replace(first, value=second.value), replace(second, value=first.value)
    closed = shown({one, other}).closed
    for facts in (names, names[::-1], (second, first)):
        assert not holds(Opened(size=len(NAMES), facts=facts, closed=closed))
    if first.value != second.value:
        assert not holds(Opened(size=len(NAMES), facts=values, closed=closed))


@given(CHOICES, st.sampled_from(NAMES), st.sampled_from(["null", "false", "0", '"research.product"']))
def test_what_is_open_is_the_same_whatever_a_closed_fact_says(names: set[str], name: str, value: str) -> None:
    """But for hashes: no text, salt, place or number of hashes depends on it."""
    assume(name not in names)
    other = FactTree(TREE.question, TREE.sql, SEED)
    other.values[name] = value
    before, after = shown(names), shown(names, other)
    assert (before.size, before.facts, len(before.closed)) == (after.size, after.facts, len(after.closed))
    assert (before.closed != after.closed) == (TREE.values[name] != value)


@settings(max_examples=tried(8), deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_who_guesses_a_closed_fact_cannot_try_it_out_with_what_is_open(name: str, data: st.DataObject) -> None:
    """No opened salt, no hash that is shown, nothing computed of one, is the salt of another fact."""
    opened = shown(set(NAMES) - {name})
    known = [bytes.fromhex(fact.salt) for fact in opened.facts] + [bytes.fromhex(each) for each in opened.closed]
    key = data.draw(st.sampled_from(known))
    guesses = [
        *known,
        hashlib.blake2b(name.encode(), key=key, digest_size=32).digest(),
        hashlib.sha256(key + name.encode()).digest(),
    ]
    index = NAMES.index(name)
    for salt in guesses:
        guess = Fact(index, name, TREE.values[name], salt.hex())
        facts = tuple(sorted((*opened.facts, guess), key=lambda fact: fact.index))
        assert not holds(Opened(size=len(NAMES), facts=facts, closed=()))
    assert len(set(known)) == len(known)


def test_two_decisions_on_the_same_facts_have_nothing_in_common() -> None:
    asked = question("rows", {})
    one, other = grow(asked, "select 1"), grow(asked, "select 1")
    assert one.values == other.values
    assert not set(one.hashes) & set(other.hashes)
    assert not {fact.salt for fact in shown(set(NAMES), one).facts} & {
        fact.salt for fact in shown(set(NAMES), other).facts
    }


def test_the_leaf_is_what_the_documentation_says() -> None:
    """docs/verify.md, with the standard library alone."""
    name, value = "sql", '"select tuổi from adult"'
    salt = hashlib.blake2b(name.encode(), key=SEED, digest_size=32).digest()
    data = b"sandulieu fact/1\n" + salt + f'["{name}",{value}]'.encode()
    index = NAMES.index(name)
    assert TREE.hashes[index] == hashlib.sha256(b"\x00" + data).digest()
    assert shown({name}).facts == (Fact(index, name, value, salt.hex()),)


def test_facts_that_were_erased_stay_closed() -> None:
    assert holds(closed_whole(TREE.head))
    assert closed_whole(Head(tree.EMPTY_ROOT.hex(), 0)).closed == ()


@pytest.mark.parametrize(
    "document",
    [
        {"size": -1, "facts": [], "closed": []},
        {"size": 10**9, "facts": [], "closed": []},
        {"size": 1, "facts": [{"index": 0, "name": "a.b", "value": "1"}], "closed": []},
    ],
)
def test_what_no_edition_can_be_is_not_read(document: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(document, Opened)
