"""One round trip through libpq: the statements of a `rows` call, prepared once a connection, and their answers.

The driver's cursors do the same a statement at a time, and take twice the processor for it.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import AsyncConnection, errors
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.generators import fetch_many, send
from psycopg.pq import ExecStatus, PipelineStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from sqlalchemy import TextClause
from sqlalchemy.dialects.postgresql import psycopg

_DIALECT = psycopg.dialect()  # type: ignore[no-untyped-call]
_PLACE = re.compile(rb"%\((\w+)\)s|%%")
PREPARED_MOST = 300
"""Of a connection; what comes after is sent whole each time. All that we write ourselves is fewer."""

_Known = dict[tuple[bytes, tuple[int, ...]], bytes]
_known: WeakKeyDictionary[AsyncConnection[Any], _Known] = WeakKeyDictionary()
"""What the server has prepared, SQL and types of the parameters → name, by connection."""
_numbers = count(1)


class Pipeline:
    """Filled with `add`, then run once; the connection is used by nobody else meanwhile."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection
        self._server = connection.pgconn
        self._adapted = Transformer(connection)
        self._known = _known.setdefault(connection, {})
        self._sends: list[Callable[[], None]] = []
        self._new: dict[tuple[bytes, tuple[int, ...]], tuple[int, bytes]] = {}
        self._wanted: list[int] = []

    def begin(self) -> None:
        """What follows is a transaction, which stays open."""
        self._sends.append(partial(self._server.send_query_params, b"BEGIN", None))

    def add(self, sql: TextClause, parameters: Mapping[str, Any], *, prepare: bool = True) -> None:
        """Raises psycopg.DataError for a value that has no form in PostgreSQL."""
        written, names = _compiled(sql)
        values: Sequence[Any] | None = None
        types: tuple[int, ...] = ()
        formats = None
        if names:
            values = self._adapted.dump_sequence(
                [parameters[name] for name in names], [PyFormat.AUTO] * len(names)
            )
            types, formats = self._adapted.types or (), self._adapted.formats
        name = self._prepared(written, types) if prepare else None
        if name is None:
            send = partial(self._server.send_query_params, written, values, types or None, formats)
        else:
            send = partial(self._server.send_query_prepared, name, values, formats)
        self._wanted.append(len(self._sends))
        self._sends.append(send)

    def _prepared(self, written: bytes, types: tuple[int, ...]) -> bytes | None:
        key = (written, types)
        name = self._known.get(key)
        if name is not None:
            return name
        if key in self._new:
            return self._new[key][1]
        if len(self._known) + len(self._new) >= PREPARED_MOST:
            return None
        # Never given twice: of a call that was cancelled nobody knows what the server has prepared.
        name = b"sd_%d" % next(_numbers)
        self._new[key] = len(self._sends), name
        self._sends.append(partial(self._server.send_prepare, name, written, types or None))
        return name

    async def run(self) -> list[list[Any]]:
        """The rows of each that was added, as named tuples. Raises psycopg.Error: of the first that failed."""
        found = await self._connection.wait(_exchange(self._server, self._sends))
        for key, (at, name) in self._new.items():
            if found[at].status == ExecStatus.COMMAND_OK:
                self._known[key] = name
        for result in found:
            if result.status == ExecStatus.FATAL_ERROR:
                raise errors.error_from_result(result, encoding=self._connection.info.encoding)
        return [self._rows(found[at]) for at in self._wanted]

    def _rows(self, result: PGresult) -> list[Any]:
        # Rows may have no columns ("select from"): it is the status that tells them from none.
        if result.status != ExecStatus.TUPLES_OK:
            return []
        self._adapted.set_pgresult(result)
        names = tuple((result.fname(i) or b"").decode() for i in range(result.nfields))
        return self._adapted.load_rows(0, result.ntuples, _maker(names))


def _exchange(server: PGconn, sends: Sequence[Callable[[], None]]) -> PQGen[list[PGresult]]:
    """Send all, then the end of the pipeline, and take the answer of each.

    Left in the middle, the connection stays in its pipeline, and is good for nothing else."""

    server.enter_pipeline_mode()
    for each in sends:
        each()
    server.pipeline_sync()
    yield from send(server)  # all of it, reading meanwhile: a server that cannot write does not read
    found = []
    for _ in range(len(sends) + 1):
        found.append((yield from fetch_many(server)))
    server.exit_pipeline_mode()
    return [answers[0] for answers in found]


@lru_cache(maxsize=256)
def _compiled(sql: TextClause) -> tuple[bytes, tuple[str, ...]]:
    """The SQL with numbered parameters, and which value each number is."""
    names: list[str] = []

    def numbered(place: re.Match[bytes]) -> bytes:
        if place[1] is None:
            return b"%"
        name = place[1].decode()
        if name not in names:
            names.append(name)
        return b"$%d" % (names.index(name) + 1)

    return _PLACE.sub(numbered, str(sql.compile(dialect=_DIALECT)).encode()), tuple(names)


@lru_cache(maxsize=512)
def _maker(names: tuple[str, ...]) -> Callable[[Sequence[Any]], Any]:
    kind: Any = namedtuple  # its names come with the answer
    make: Callable[[Sequence[Any]], Any] = kind("Row", names, rename=True)._make
    return make


def idle(connection: AsyncConnection[Any]) -> bool:
    """Whether no transaction is open on it, and nothing left in the middle."""
    server = connection.pgconn
    return server.transaction_status == TransactionStatus.IDLE and server.pipeline_status == PipelineStatus.OFF
