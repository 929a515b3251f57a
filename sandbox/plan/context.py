"""What one reading of a query carries along: its tables, what it has read so far, and how much it has grown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlglot import exp

from sandbox.job import TableSchema

from .errors import Refusal
from .limits import DEPTH, NODES
from .scope import Scope
from .tree import ColumnRef, Expression, Query
from .walking import walk


@dataclass(slots=True)
class Context:
    tables: dict[str, TableSchema]
    read_query: Callable[[exp.Expression, Scope | None, Context], Query]
    """Reads a query inside an expression (queries and expressions contain each other)."""
    reads: dict[str, set[str]] = field(default_factory=dict)
    depth: int = 0
    nodes: int = 0
    relations: int = 0
    joins: int = 0

    def grow(self, at: int | None, end: int | None, count: int = 1) -> None:
        """Counts nodes of our tree. Refusal above the limit (aliases used again and again multiply)."""
        self.nodes += count
        if self.nodes > NODES:
            raise Refusal("sql.too_many_terms", at, end, limit=NODES)

    def enter(self, at: int | None, end: int | None) -> None:
        self.depth += 1
        if self.depth > DEPTH:
            raise Refusal("sql.too_deep", at, end, limit=DEPTH)

    def leave(self) -> None:
        self.depth -= 1

    def relation(self, letter: str = "r") -> str:
        """A fresh name."""
        self.relations += 1
        return f"{letter}{self.relations}"

    def note(self, expression: Expression) -> None:
        """Remembers which columns of tables an expression reads."""
        for node in walk(expression):
            if isinstance(node, ColumnRef) and node.table:
                self.reads[node.table].add(node.column)
