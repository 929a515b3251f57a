"""From text to sqlglot's tree: one SELECT, within the limits, with calls of functions left as written."""

from __future__ import annotations

from sqlglot import exp, parser
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.tokenizer_core import Token, TokenType

from .errors import Refusal
from .limits import DEPTH, NODES, TEXT_BYTES

_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}
_STARTS = {TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN, TokenType.FROM, TokenType.VALUES}


class _Parser(DuckDBParser):
    # sqlglot rewrites the functions that it knows (order of arguments, formats of dates): ours come from our own
    # table, so each call must arrive as the analyst wrote it.
    FUNCTIONS = {}  # noqa: RUF012
    FUNCTION_PARSERS = {  # noqa: RUF012
        name: parser.Parser.FUNCTION_PARSERS[name] for name in ("CAST", "TRY_CAST", "EXTRACT")
    }
    NO_PAREN_FUNCTIONS = {}  # noqa: RUF012
    NO_PAREN_FUNCTION_PARSERS = {  # noqa: RUF012
        name: parser.Parser.NO_PAREN_FUNCTION_PARSERS[name] for name in ("CASE", "ANY")
    }

    def _parse_placeholder(self) -> exp.Expr | None:
        found = super()._parse_placeholder()
        # The only nodes without words inside: without this, nothing says where they stand.
        return found.update_positions(self._prev) if found is not None else None


_DIALECT = DuckDB()


def _check_tokens(tokens: list[Token]) -> None:
    if not tokens:
        raise Refusal("sql.empty")
    if tokens[0].token_type not in _STARTS:
        raise Refusal("sql.not_a_select", tokens[0].start, tokens[0].end, use="SELECT")
    if len(tokens) > 2 * NODES:
        raise Refusal("sql.too_many_terms", tokens[2 * NODES].start, tokens[2 * NODES].end, limit=NODES)
    depth = 0
    for token in tokens:
        if token.token_type in _OPENING:
            depth += 1
        elif token.token_type in _CLOSING:
            depth -= 1
        if depth > DEPTH:
            raise Refusal("sql.too_deep", token.start, token.end, limit=DEPTH)


def _check_alone(tokens: list[Token]) -> None:
    for index, token in enumerate(tokens[:-1]):
        following = tokens[index + 1]
        if token.token_type is TokenType.SEMICOLON and following.token_type is not TokenType.SEMICOLON:
            raise Refusal("sql.several_statements", following.start, following.end)


def _syntax(error: ParseError, sql: str) -> Refusal:
    found = error.errors[0] if error.errors else {}
    line, column, word = found.get("line"), found.get("col"), found.get("highlight") or ""
    if not line or column is None:
        return Refusal("sql.syntax")
    start = sum(len(text) for text in sql.splitlines(keepends=True)[: line - 1])
    at = max(start, start + column - len(word))
    return Refusal("sql.syntax", at, at + max(len(word), 1) - 1)


def parse(sql: str) -> exp.Expression:
    """The one statement in `sql` as sqlglot's tree. Refusal if it is no query, too long, too deep, or not SQL."""
    if len(sql.encode("utf-8", "surrogatepass")) > TEXT_BYTES:
        raise Refusal("sql.too_long", limit=TEXT_BYTES)
    try:
        tokens = _DIALECT.tokenize(sql)
    except TokenError as error:
        raise Refusal("sql.syntax") from error
    _check_tokens(tokens)
    _check_alone(tokens)
    try:
        statements = [s for s in _Parser(dialect=_DIALECT).parse(tokens, sql) if s is not None]
    except ParseError as error:
        raise _syntax(error, sql) from error
    except RecursionError as error:
        raise Refusal("sql.too_deep", limit=DEPTH) from error
    if len(statements) != 1:
        raise Refusal("sql.empty")
    found = statements[0]
    if not isinstance(found, exp.Expression):
        raise Refusal("sql.syntax")
    return found


def place(node: object) -> tuple[int | None, int | None]:
    """First and last offset in the text of a node of sqlglot's tree, as near as it knows."""
    if not isinstance(node, exp.Expr):
        return None, None
    if "start" in node.meta:
        return node.meta["start"], node.meta["end"]
    inside = [n.meta for n in node.walk() if "start" in n.meta]
    first = min(inside, key=lambda meta: int(meta["start"]), default=None)
    return (first["start"], first["end"]) if first else (None, None)
