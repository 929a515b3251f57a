"""How SQL is refused: a code with a text in `sandbox/texts.json`, and the place in the SQL where it went wrong."""

from __future__ import annotations

from typing import Literal

RefusalCode = Literal[
    "sql.empty", "sql.too_long", "sql.too_deep", "sql.too_many_terms", "sql.too_many_joins", "sql.list_too_long",
    "sql.too_many_columns", "sql.syntax", "sql.several_statements", "sql.not_a_select", "sql.not_supported",
    "sql.unknown_table", "sql.unknown_column", "sql.ambiguous_column", "sql.unknown_function",
    "sql.nondeterministic", "sql.outside_world", "sql.wrong_arguments", "sql.type_mismatch", "sql.unknown_type",
    "sql.not_grouped", "sql.misplaced_aggregate", "sql.misplaced_window", "sql.column_count", "sql.not_returnable",
    "sql.duplicate_alias", "sql.no_such_position", "sql.order_not_selected", "sql.name_not_usable",
    "sql.must_aggregate", "sql.measure_misused", "sql.measure_function", "sql.not_over_cohorts",
    "sql.no_cross_product", "sql.private_shape", "sql.private_aggregate", "sql.private_bounds",
    "sql.private_function", "sql.private_key", "sql.private_query",
    "sql.private_text", "sql.private_work", "sql.private_size",
]  # fmt: skip


class SqlRefused(Exception):
    """SQL that is not run. `line` and `column` count from 1; `word` is the text there.

    `params` holds only words of the question itself, of the schema and of our own tables; `use` says what to write
    instead (a piece of SQL, the same in every language).
    """

    def __init__(self, code: RefusalCode, *, line: int = 1, column: int = 1, word: str = "",
                 params: dict[str, str | int] | None = None) -> None:  # fmt: skip
        super().__init__(f"{code} at {line}:{column} {word!r}")
        self.code = code
        self.line = line
        self.column = column
        self.word = word
        self.params: dict[str, str | int] = {"word": word, "use": "", **(params or {})}


class Refusal(Exception):
    """A refusal as it is found, with offsets into the SQL text (or None); `plan_query` makes it SqlRefused."""

    def __init__(self, code: RefusalCode, at: int | None = None, end: int | None = None,
                 **params: str | int) -> None:  # fmt: skip
        super().__init__(code)
        self.code = code
        self.at = at
        self.end = end
        self.params = params

    def placed(self, sql: str) -> SqlRefused:
        """The refusal with line, column and word in `sql`."""
        if self.at is None:
            return SqlRefused(self.code, params=dict(self.params))
        at = min(self.at, len(sql))
        end = at if self.end is None else min(self.end, at + 80)
        line = sql.count("\n", 0, at) + 1
        column = at - (sql.rfind("\n", 0, at) + 1) + 1
        word = "".join(c if c.isprintable() else " " for c in sql[at : end + 1])
        return SqlRefused(self.code, line=line, column=column, word=word, params=dict(self.params))
