"""Whoever keeps every answer: on how few persons can something depend that is computed from them?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from catalog.cohorts import Ints

Datum = tuple[str, tuple[str, ...]]
"""A person, and what the person is in a version."""


def fewest(cohorts: Iterable[frozenset[Datum]], k: int) -> int:
    """The least number of persons on whose data a linear combination of these sums can depend, without depending
    on others'; k if it is k or more.

    Exact: data in the same cohorts count alike in every combination (an atom); one that is 0 outside some atoms
    exists if and only if the matrix of cohorts over the other atoms has lost rank.
    """
    return min((_fewest(component, k) for component in _components(set(cohorts))), default=k)


def _components(cohorts: set[frozenset[Datum]]) -> Iterator[list[frozenset[Datum]]]:
    """Cohorts that share nobody, directly or by others, cannot tell anything together."""
    left = set(cohorts)
    while left:
        found, edge = [], [left.pop()]
        while edge:
            found.append(edge.pop())
            near = {c for c in left if c & found[-1]}
            left -= near
            edge += near
        yield found


def _fewest(cohorts: list[frozenset[Datum]], k: int) -> int:
    atoms: dict[tuple[int, ...], set[str]] = defaultdict(set)
    for datum in frozenset().union(*cohorts):
        atoms[tuple(i for i, c in enumerate(cohorts) if datum in c)].add(datum[0])
    matrix = np.array([[i in atom for i in range(len(cohorts))] for atom in atoms], dtype=float)
    people = list(atoms.values())
    full = _rank(matrix)
    best = k
    for chosen, who in _few(people, k):
        if len(who) < best and _rank(np.delete(matrix, chosen, axis=0)) < full:
            best = len(who)
    return best


def _rank(matrix: Ints) -> int:
    return int(np.linalg.matrix_rank(matrix)) if matrix.size else 0


def _few(people: list[set[str]], k: int) -> Iterator[tuple[list[int], set[str]]]:
    """Sets of atoms that together hold fewer than k persons."""
    stack: list[tuple[int, list[int], set[str]]] = [(0, [], set())]
    while stack:
        start, chosen, who = stack.pop()
        for i in range(start, len(people)):
            more = who | people[i]
            if len(more) < k:
                yield [*chosen, i], more
                stack.append((i + 1, [*chosen, i], more))


def fewest_behind(equations: Ints, people: list[str], k: int) -> int:
    """The same of any sums: `equations` × unknowns, each unknown something of one of `people`.

    Unknowns that count alike in every equation are an atom. Where the rank stays although all atoms of fewer than
    k persons are taken away, no combination is of such atoms only, and nothing needs to be tried one by one.
    """
    used = np.flatnonzero(equations.any(axis=0))
    columns, of = np.unique(equations[:, used].T, axis=0, return_inverse=True)
    atoms: list[set[str]] = [set() for _ in columns]
    for place, atom in zip(used.tolist(), of.ravel().tolist(), strict=True):
        atoms[atom].add(people[place])
    small = [i for i, who in enumerate(atoms) if len(who) < k]
    full = _rank(columns)
    if _rank(np.delete(columns, small, axis=0)) == full:
        return k
    return min(
        (len(who) for chosen, who in _few([atoms[i] for i in small], k)
         if _rank(np.delete(columns, [small[i] for i in chosen], axis=0)) < full),
        default=k,
    )  # fmt: skip
