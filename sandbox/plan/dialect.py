"""From text to sqlglot's tree: one SELECT, within the limits, with calls of functions left as written."""

from __future__ import annotations

import re
import sys
from itertools import pairwise

from sqlglot import exp, parser
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.tokenizer_core import Token, TokenType

from .errors import Refusal
from .limits import DEPTH, FRAMES, NODES, QUERIES, READ_AGAIN, TEXT_BYTES, TOKENS

_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}
_PARTS = {TokenType.COMMA: "a, b", TokenType.ALIAS: 'a AS "b"'}
"""What stands between two things, with how it is written."""
_BEGIN = {
    TokenType.COMMA, TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.ALIAS, TokenType.SELECT,
    TokenType.DISTINCT, TokenType.WHERE, TokenType.HAVING, TokenType.GROUP_BY, TokenType.ORDER_BY,
    TokenType.PARTITION_BY, TokenType.LIMIT, TokenType.VALUES,
}  # fmt: skip
_END = {
    TokenType.COMMA, TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.FROM, TokenType.WHERE,
    TokenType.HAVING, TokenType.GROUP_BY, TokenType.ORDER_BY, TokenType.LIMIT, TokenType.UNION,
    TokenType.INTERSECT, TokenType.EXCEPT, TokenType.SEMICOLON,
}  # fmt: skip
_STARTS = {TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN, TokenType.FROM, TokenType.VALUES}


def _substring(reader: parser.Parser) -> exp.Expression:
    """substring(text, start, length), or the standard's substring(text FROM start FOR length)."""
    word = _called(reader)
    given = reader._parse_csv(reader._parse_disjunction)
    start = reader._parse_bitwise() if len(given) == 1 and reader._match(TokenType.FROM) else None
    length = reader._parse_bitwise() if len(given) == 1 and reader._match(TokenType.FOR) else None
    if length is not None and start is None:
        start = exp.Literal.number(1)
    given += [part for part in (start, length) if part is not None]
    return exp.Anonymous(this=word.text, expressions=given).update_positions(word)


def _position(reader: parser.Parser) -> exp.Expression:
    """position(text, sought), or the standard's position(sought IN text)."""
    word = _called(reader)
    given = reader._parse_csv(reader._parse_bitwise)
    if len(given) == 1 and reader._match(TokenType.IN) and (text := reader._parse_bitwise()) is not None:
        given.insert(0, text)
    return exp.Anonymous(this=word.text, expressions=given).update_positions(word)


def _called(reader: parser.Parser) -> Token:
    """The name before the parenthesis that was just read."""
    return reader._tokens[reader._index - 2]


def _trim(reader: parser.Parser) -> exp.Expression:
    """trim(text, characters), or the standard's trim(BOTH characters FROM text)."""
    word = _called(reader)
    side = next((name for name in _TRIMS if reader._match_text_seq(name)), "")
    given = reader._parse_csv(reader._parse_bitwise)
    if reader._match(TokenType.FROM) and (text := reader._parse_bitwise()) is not None:
        given.insert(0, text)
    return exp.Anonymous(this=_TRIMS.get(side, word.text), expressions=given).update_positions(word)


_TRIMS = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}


class _Parser(DuckDBParser):
    # sqlglot rewrites the functions that it knows (order of arguments, formats of dates): ours come from our own
    # table, so each call must arrive as the analyst wrote it.
    FUNCTIONS = {}  # noqa: RUF012
    FUNCTION_PARSERS = {  # noqa: RUF012
        **{name: parser.Parser.FUNCTION_PARSERS[name] for name in ("CAST", "TRY_CAST", "EXTRACT")},
        "SUBSTRING": _substring,
        "POSITION": _position,
        "TRIM": _trim,
    }
    NO_PAREN_FUNCTIONS = {}  # noqa: RUF012
    OPTIONAL_ALIAS_TOKEN_CTE = False
    NO_PAREN_FUNCTION_PARSERS = {  # noqa: RUF012
        name: parser.Parser.NO_PAREN_FUNCTION_PARSERS[name] for name in ("CASE", "ANY")
    }

    def parse(self, raw_tokens: list[Token], sql: str) -> list[exp.Expr | None]:
        """sqlglot's own; Refusal if it goes back too often."""
        self._patience = READ_AGAIN * (len(raw_tokens) + 100)
        return super().parse(raw_tokens, sql)

    def _retreat(self, index: int) -> None:
        self._patience -= max(self._index - index, 0)
        if self._patience < 0:
            raise Refusal("sql.too_deep", self._curr.start, self._curr.end, limit=DEPTH)
        super()._retreat(index)

    def _parse_placeholder(self) -> exp.Expr | None:
        found = super()._parse_placeholder()
        # The only nodes without words inside: without this, nothing says where they stand.
        return found.update_positions(self._prev) if found is not None else None

    def _parse_types(
        self, check_func: bool = False, schema: bool = False, allow_identifiers: bool = True,
        with_collation: bool = False,
    ) -> exp.Expr | None:  # fmt: skip
        first = self._curr
        found = super()._parse_types(check_func, schema, allow_identifiers, with_collation)
        return found.update_positions(first) if isinstance(found, exp.DataType) else found


class _Dialect(DuckDB):
    # sqlglot counts places in lists from 0 and makes a path of its own of what follows ->: ours stay as written.
    INDEX_OFFSET = 0

    def to_json_path(self, path: exp.Expr | None) -> exp.Expr | None:
        """The path as it was written."""
        return path


_DIALECT = _Dialect()


# How deep a question may be must not depend on how deep the caller's stack already is. Frames of pure Python take
# no C stack (3.11 and later), so this is safe; what is deeper ends as RecursionError, and that as a refusal.
sys.setrecursionlimit(max(sys.getrecursionlimit(), FRAMES))

# What other dialects write, by the word at which nothing is understood any more, and by the one before it.
_INSTEAD = {"`": '"x"', "#": "-- …", "separator": "string_agg(x, ',')", "xor": "a <> b", "≥": "a >= b",
            "≤": "a <= b", "≠": "a <> b", "from": "SELECT … FROM … WHERE …"}  # fmt: skip
_INSTEAD_AFTER = {"top": "LIMIT 10", "minus": "EXCEPT", "mod": "a % b", "×": "a * b", "÷": "a / b", "as": 'AS "x"'}
_OPEN = ("'", '"', "/*", "$$")
_ENCLOSED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|\$\$.*?\$\$|'|"|/\*|\$\$""", re.DOTALL)
_UNWRITTEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff]")
_DIGITS = 18
_WORDS = re.compile(r"\w+|[^\w\s]")


def _check_tokens(tokens: list[Token]) -> None:
    if not tokens:
        raise Refusal("sql.empty")
    if tokens[0].token_type not in _STARTS:
        raise Refusal("sql.not_a_select", tokens[0].start, tokens[0].end, use="SELECT")
    depth = queries = brackets = 0
    for token in tokens:
        queries += token.token_type is TokenType.SELECT
        brackets += token.token_type is TokenType.L_BRACKET
        if max(queries, brackets) > QUERIES:
            raise Refusal("sql.too_many_terms", token.start, token.end, limit=QUERIES)
        if token.token_type in _OPENING:
            depth += 1
        elif token.token_type in _CLOSING:
            depth -= 1
        if depth > DEPTH:
            raise Refusal("sql.too_deep", token.start, token.end, limit=DEPTH)


def _check_parted(tokens: list[Token]) -> None:
    """sqlglot takes `a,, b`, `a, FROM t` and `SELECT AS a` for what they might have been meant to be."""
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        use = _PARTS.get(token.token_type)
        if use and (before is None or before.token_type in _BEGIN or after is None or after.token_type in _END):
            raise Refusal("sql.syntax", token.start, token.end, use=use)


def _check_cases(tokens: list[Token]) -> None:
    """sqlglot takes CASE WHEN without THEN."""
    waiting: list[Token] = []
    for token in tokens:
        kind = token.token_type
        ends = kind in (TokenType.WHEN, TokenType.ELSE, TokenType.END)
        if ends and waiting and waiting[-1].token_type is TokenType.WHEN:
            raise Refusal("sql.syntax", token.start, token.end, use="CASE WHEN … THEN … END")
        if kind in (TokenType.CASE, TokenType.WHEN):
            waiting.append(token)
        elif kind in (TokenType.THEN, TokenType.END) and waiting:
            waiting.pop()


def _check_neighbours(tokens: list[Token], sql: str) -> None:
    depth = 0
    for token, following in pairwise(tokens):
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        touching = following.start == token.end + 1
        if token.token_type is TokenType.NUMBER and touching and re.match(r"\w", sql[following.start]):
            # 0x1F would be read as 0 AS x1F, and mean 31 to DuckDB.
            raise Refusal(
                "sql.syntax", token.start, following.end, use=_number(sql[token.start : following.end + 1])
            )
        if token.token_type is TokenType.SEMICOLON and following.token_type is not TokenType.SEMICOLON:
            if depth > 0:  # as spreadsheets part arguments
                raise Refusal("sql.syntax", token.start, token.end, use="f(a, b)")
            raise Refusal("sql.several_statements", following.start, following.end)
        if token.token_type is TokenType.VAR and touching and following.token_type is TokenType.STRING:
            # r'…' is a text as ours are, x'1F' a number.
            use = f"'{following.text}'" if token.text.lower() != "x" else _number(f"0x{following.text}")
            raise Refusal("sql.syntax", token.start, following.end, use=use)


def _number(word: str) -> str:
    """A number written in another base, as it is written here."""
    base = {"0x": 16, "0b": 2, "0o": 8}.get(word[:2].lower())
    try:
        return str(int(word[2:], base)) if base and len(word) <= _DIGITS else ""
    except ValueError:
        return ""


def _unread(sql: str) -> Refusal:
    """A text or a comment that does not end."""
    if (escaped := sql.find("\\'")) >= 0:
        return Refusal("sql.syntax", escaped, escaped + 1, use="'it''s'")
    begun = next((found for found in _ENCLOSED.finditer(sql) if found[0] in _OPEN), None)
    return Refusal("sql.syntax", begun.start(), begun.end() - 1) if begun else Refusal("sql.syntax")


def _syntax(error: ParseError, sql: str) -> Refusal:
    found = error.errors[0] if error.errors else {}
    line, column, word = found.get("line"), found.get("col"), found.get("highlight") or ""
    if not line or column is None:
        return Refusal("sql.syntax")
    start = sum(len(text) for text in sql.splitlines(keepends=True)[: line - 1])
    at = max(start, start + column - len(word))
    before = sql[:at].split()[-1:]
    use = _INSTEAD.get(word.lower()) or _INSTEAD_AFTER.get(before[0].lower() if before else "", "")
    return Refusal("sql.syntax", at, at + max(len(word), 1) - 1, use=use)


def parse(sql: str) -> exp.Expression:
    """The one statement in `sql` as sqlglot's tree. Refusal if it is no query, too long, too deep, or not SQL."""
    if len(sql.encode("utf-8", "surrogatepass")) > TEXT_BYTES:
        raise Refusal("sql.too_long", limit=TEXT_BYTES)
    if unwritten := _UNWRITTEN.search(sql):
        raise Refusal("sql.syntax", unwritten.start())
    # sqlglot takes 10 µs a token: what is surely too much is not even read.
    if sum(1 for _ in _WORDS.finditer(sql)) > TOKENS:
        raise Refusal("sql.too_many_terms", limit=NODES)
    try:
        tokens = _DIALECT.tokenize(sql)
    except TokenError as error:
        raise _unread(sql) from error
    _check_tokens(tokens)
    _check_neighbours(tokens, sql)
    _check_parted(tokens)
    _check_cases(tokens)
    try:
        parsed = _Parser(dialect=_DIALECT).parse(tokens, sql)
    except ParseError as error:
        raise _syntax(error, sql) from error
    except RecursionError as error:
        raise Refusal("sql.too_deep", limit=DEPTH) from error
    except AttributeError as error:  # sqlglot's own, of a key without a value in {…}
        raise Refusal("sql.syntax") from error
    statements = [s for s in parsed if not isinstance(s, exp.Semicolon | None)]
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
