"""The tree against RFC 6962's own recursive definition, for every size and index that Hypothesis thinks of."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.audit import tree
from marketplace.verifier.tree import verify_consistency, verify_inclusion

LEAVES = [f"leaf {n}".encode() for n in range(130)]
sizes = st.integers(1, len(LEAVES))


def naive_root(data: list[bytes]) -> bytes:
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = naive_split(len(data))
    return hashlib.sha256(b"\x01" + naive_root(data[:k]) + naive_root(data[k:])).digest()


def naive_path(index: int, data: list[bytes]) -> list[bytes]:
    if len(data) == 1:
        return []
    k = naive_split(len(data))
    if index < k:
        return [*naive_path(index, data[:k]), naive_root(data[k:])]
    return [*naive_path(index - k, data[k:]), naive_root(data[:k])]


def naive_consistency(first: int, data: list[bytes], whole: bool = True) -> list[bytes]:
    if first == len(data):
        return [] if whole else [naive_root(data)]
    k = naive_split(len(data))
    if first <= k:
        return [*naive_consistency(first, data[:k], whole), naive_root(data[k:])]
    return [*naive_consistency(first - k, data[k:], False), naive_root(data[:k])]


def naive_split(count: int) -> int:
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def grown(size: int, step: int = 7) -> tuple[dict[tuple[int, int], bytes], list[bytes]]:
    nodes: dict[tuple[int, int], bytes] = {}
    frontier: list[bytes] = []
    for start in range(0, size, step):
        batch = [tree.leaf_hash(each) for each in LEAVES[start : min(size, start + step)]]
        nodes.update(tree.append(frontier, start, batch))
    return nodes, frontier


NODES, _ = grown(len(LEAVES))


@given(sizes, st.integers(1, 40))
def test_a_tree_grown_in_batches_has_the_root_of_the_definition(size: int, step: int) -> None:
    nodes, frontier = grown(size, step)
    assert tree.fold(frontier) == naive_root(LEAVES[:size])
    assert [nodes[node] for node in tree.range_nodes(0, size)] == frontier


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert tree.fold([]) == naive_root([]) == tree.EMPTY_ROOT


@given(sizes, st.data())
def test_inclusion_proofs_are_those_of_the_definition_and_verify(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = tree.prove(tree.inclusion_ranges(index, size), NODES.__getitem__)
    assert proof == naive_path(index, LEAVES[:size])
    assert verify_inclusion(tree.leaf_hash(LEAVES[index]), index, size, proof, naive_root(LEAVES[:size]))


@given(sizes, st.data())
def test_consistency_proofs_are_those_of_the_definition_and_verify(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second))
    proof = tree.prove(tree.consistency_ranges(first, second), NODES.__getitem__)
    roots = naive_root(LEAVES[:first]), naive_root(LEAVES[:second])
    assert proof == naive_consistency(first, LEAVES[:second])
    assert verify_consistency(first, second, *roots, proof)


@given(sizes, st.data())
def test_an_inclusion_proof_with_anything_changed_fails(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaf, root = tree.leaf_hash(LEAVES[index]), naive_root(LEAVES[:size])
    proof = naive_path(index, LEAVES[:size])
    other = data.draw(st.integers(0, size + 3).filter(lambda n: n != index))
    assert not verify_inclusion(leaf, other, size, proof, root)
    assert not verify_inclusion(_flip(leaf), index, size, proof, root)
    assert not verify_inclusion(leaf, index, size, proof, _flip(root))
    assert not verify_inclusion(leaf, index, size, [*proof, leaf], root)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not verify_inclusion(leaf, index, size, [*proof[:at], _flip(proof[at]), *proof[at + 1 :]], root)
        assert not verify_inclusion(leaf, index, size, proof[:-1], root)


@given(st.integers(2, len(LEAVES)), st.data())
def test_a_log_that_was_rewritten_has_no_consistency_proof(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second - 1))
    at = data.draw(st.integers(0, first - 1))
    rewritten = [*LEAVES[:at], b"another", *LEAVES[at + 1 : second]]
    proof = naive_consistency(first, rewritten)
    assert not verify_consistency(first, second, naive_root(LEAVES[:first]), naive_root(rewritten), proof)
    assert not verify_consistency(first, second, naive_root(LEAVES[:first]), naive_root(LEAVES[:second]), [])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_no_inclusion_proof_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="not in the tree"):
        tree.inclusion_ranges(index, size)
    assert not verify_inclusion(b"", index, size, [], b"")


@pytest.mark.parametrize(("first", "second"), [(0, 3), (4, 3)])
def test_no_consistency_proof_of_sizes_that_do_not_grow(first: int, second: int) -> None:
    with pytest.raises(ValueError, match="first <= second"):
        tree.consistency_ranges(first, second)


def test_consistency_with_itself_and_with_the_empty_tree_needs_no_proof() -> None:
    root = naive_root(LEAVES)
    assert verify_consistency(130, 130, root, root, [])
    assert verify_consistency(0, 130, tree.EMPTY_ROOT, root, [])
    assert not verify_consistency(130, 130, root, _flip(root), [])
    assert not verify_consistency(0, 130, root, root, [])
    assert not verify_consistency(0, 0, tree.EMPTY_ROOT, root, [])
    assert not verify_consistency(131, 130, root, root, [])


def _flip(value: bytes) -> bytes:
    return bytes([value[0] ^ 1]) + value[1:]
