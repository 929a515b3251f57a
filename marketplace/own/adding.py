"""Taking a table in: the heavy work, in a thread and a jail, that no transaction waits for."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import msgspec

from catalog.limits import IngestLimits
from catalog.own import OwnData, read_own
from marketplace.accounts.callers import Analyst
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.db.idempotency import claim, seen
from marketplace.db.keys import Keys
from marketplace.jailed import told_as
from marketplace.own.actions import add_table, check_name, require_room
from marketplace.own.errors import TableRefused, TablesBusy
from marketplace.own.vault import FOLDER, Vault

UNPACKED_TIMES = 10
"""A file may be so much larger once it is unpacked."""
_ONE_BY_ONE = asyncio.Semaphore(1)
"""Jails that read strangers' files take memory: in a process one runs at a time, and no organisation has more
than `tenant_table_uploads` before it."""
RETRY_AFTER_S = 30


def vault_of(config: Config, keys: Keys) -> Vault:
    """Where the home keeps own tables."""
    return Vault(config.path(*FOLDER), keys.table_seal())


async def take_in(
    database: Database, keys: Keys, config: Config, *, name: str, source: Path, by: Analyst, key: str | None
) -> UUID:
    """The table's id; the same key with the same name and file is the same table.

    Raises TableNameWrong, TableNameTaken, NoRoom, TableRefused, KeyReused, TablesBusy, Unavailable.
    """
    check_name(name)
    body = await asyncio.to_thread(_body, name, source) if key else b""
    async with database.session() as session:
        if key and (first := await seen(session, organisation_id=by.organisation_id, key=key, body=body)):
            return first
        await require_room(session, organisation_id=by.organisation_id, name=name, config=config)
    async with _turn(config.own_table_wait_max_s):
        data = await _read(source, config)
    table_id, vault = new_id(), vault_of(config, keys)
    stored = await asyncio.to_thread(vault.put, table_id, data.body)
    try:
        async with database.session() as session, _kept_if_entered(vault, table_id) as entered:
            first = await claim(session, by.organisation_id, key, body, table_id)
            if first != table_id:
                return first
            await add_table(
                session, table_id=table_id, name=name, data=data, wrapped_key=stored.wrapped_key, by=by,
                config=config,
            )  # fmt: skip
            entered.set()
    finally:
        stored.claim.release()
    return table_id


@asynccontextmanager
async def _kept_if_entered(vault: Vault, table_id: UUID) -> AsyncIterator[asyncio.Event]:
    """The file goes again unless its row was written in this block.

    If the commit raises, which comes after, nobody knows whether there is a row: the file stays, and the sweep
    finds out.
    """
    entered = asyncio.Event()
    try:
        yield entered
    finally:
        if not entered.is_set():
            await asyncio.to_thread(vault.drop, table_id)


@asynccontextmanager
async def _turn(wait_max_s: int) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(wait_max_s):
            await _ONE_BY_ONE.acquire()
    except TimeoutError:
        raise TablesBusy(headers={"Retry-After": str(RETRY_AFTER_S)}, wait_max_s=wait_max_s) from None
    try:
        yield
    finally:
        _ONE_BY_ONE.release()


def _body(name: str, source: Path) -> bytes:
    with source.open("rb") as file:
        return msgspec.json.encode((name, hashlib.file_digest(file, "sha256").hexdigest()))


async def _read(source: Path, config: Config) -> OwnData:
    limits = IngestLimits(
        deadline_ms=config.own_table_deadline_ms,
        memory_bytes=config.ingest_memory_bytes,
        max_rows=config.own_table_max_rows,
        max_bytes=UNPACKED_TIMES * config.own_table_max_bytes,
        max_row_group_bytes=UNPACKED_TIMES * config.own_table_max_bytes,
        max_output_bytes=2 * UNPACKED_TIMES * config.own_table_max_bytes,
    )
    with told_as(TableRefused):
        return await asyncio.to_thread(_read_file, source, limits, config.own_table_max_bytes)


def _read_file(source: Path, limits: IngestLimits, max_body_bytes: int) -> OwnData:
    with source.open("rb") as file:
        return read_own(file, limits=limits, max_body_bytes=max_body_bytes)
