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
