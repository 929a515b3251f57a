"""Sends the log's newest checkpoint to outside witnesses (C2SP tlog-witness) and keeps what they sign.

A witness that refuses has seen another log under our name: a longer one (the database was restored from an old
backup, or cut) or a forked one. That is an event, and never retried into silence; what it shows of the other log
is kept (`remembered.py`), and the sequencer gives no leaf beside it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import logging
import urllib.error
import urllib.request

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.audit.models import Checkpoint
from marketplace.audit.proofs import consistency_proof, newest_checkpoint
from marketplace.audit.remembered import ask
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.verifier.note import COSIGNATURE, VerifierKey, open_note, parse_key
from marketplace.verifier.refusal import Refused

ANSWER_BYTES = 16 * 1024
logger = logging.getLogger(__name__)
_LAST = text("SELECT coalesce(max(size), 0) FROM cosignature WHERE witness = :witness")
_KEEP = text("""
    INSERT INTO cosignature (size, witness, line, at) VALUES (:size, :witness, :line, now()) ON CONFLICT DO NOTHING
""")


class WitnessAt(Struct, frozen=True):
    """Whose cosignature is wanted, and where it listens."""

    key: VerifierKey
    url: str


class WitnessSilent(Exception):
    """It does not answer, or not as the protocol has it: it is asked again later."""


class WitnessRefuses(Exception):
    """`status`: as it answered; `size`: of the log that it cosigned last, 0 where it does not say."""

    def __init__(self, status: int, size: int) -> None:
        self.status, self.size = status, size
        super().__init__(f"HTTP {status}, its last size {size}")


def read_witnesses(listed: str) -> tuple[WitnessAt, ...]:
    """One `KEY URL` a line, # begins a comment. Raises Refused."""
    lines = [line.partition("#")[0].split() for line in listed.splitlines()]
    if any(len(words) not in (0, 2) for words in lines):
        raise Refused("key.form")
    return tuple(WitnessAt(parse_key(words[0], COSIGNATURE), words[1].rstrip("/")) for words in lines if words)


async def ask_all(config: Config, key: VerifierKey) -> None:
    """What each witness remembers, before anything new is signed. Raises Refused, OSError for no list."""
    listed = await asyncio.to_thread(_listed, config)
    await asyncio.gather(*(asyncio.to_thread(ask, config, each.key, each.url, key) for each in listed))


async def run_witnessing(database: Database, key: VerifierKey, config: Config, stop: asyncio.Event) -> None:
    """Ask each witness every `witness_interval_s` until `stop`. Raises Refused, OSError for no list.

    `key`: the log's."""
    listed = await asyncio.to_thread(_listed, config)
    if not listed:
        await stop.wait()
    told: set[tuple[VerifierKey, int, int]] = set()
    while not stop.is_set():
        for witness in listed:
            try:
                await cosign_newest(database, witness, timeout_ms=config.witness_timeout_ms)
            except WitnessRefuses as refuses:
                if (witness.key, refuses.status, refuses.size) not in told:
                    await asyncio.to_thread(ask, config, witness.key, witness.url, key)
                    await _tell(database, witness, refuses)
                    told.add((witness.key, refuses.status, refuses.size))
            except (WitnessSilent, Unavailable, DBAPIError) as silent:
                logger.warning("witness %s: %s", witness.key.name, silent)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.witness_interval_s)


def _listed(config: Config) -> tuple[WitnessAt, ...]:
    return read_witnesses(config.witnesses_file.read_text()) if config.witnesses_file else ()


async def cosign_newest(database: Database, witness: WitnessAt, *, timeout_ms: int) -> bool:
    """Whether the newest checkpoint got this witness's cosignature now. Raises WitnessRefuses, WitnessSilent."""
    async with database.reading() as session:
        newest = await newest_checkpoint(session)
        last = int(await session.scalar(_LAST, {"witness": str(witness.key)}) or 0)
        if newest is None or newest.size == last:
            return False
        status, answer = await _ask(session, witness, newest, last, timeout_ms)
        if status == 409:
            # It has signed what we did not get to keep: its answer was lost, or we lost our rows.
            last = _size(answer)
            if last <= newest.size:
                status, answer = await _ask(session, witness, newest, last, timeout_ms)
    if status != 200:
        raise WitnessRefuses(status, last)
    line = _signed_line(newest, answer, witness.key)
    async with database.session() as writing:
        await writing.execute(_KEEP, {"size": newest.size, "witness": str(witness.key), "line": line})
    return True


async def _ask(
    session: AsyncSession, witness: WitnessAt, newest: Checkpoint, old_size: int, timeout_ms: int
) -> tuple[int, str]:
    """Status and body of add-checkpoint."""
    hashes: tuple[str, ...] = ()
    if 0 < old_size < newest.size:
        hashes = (await consistency_proof(session, old_size, newest.size)).hashes
    lines = [f"old {old_size}", *(base64.b64encode(bytes.fromhex(each)).decode() for each in hashes)]
    body = "\n".join([*lines, "", newest.note]).encode()
    return await asyncio.to_thread(_post, f"{witness.url}/add-checkpoint", body, timeout_ms / 1000)


def _post(url: str, body: bytes, timeout_s: float) -> tuple[int, str]:
    try:
        request = urllib.request.Request(url, body, {"Content-Type": "text/plain"}, method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
            return answer.status, answer.read(ANSWER_BYTES).decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read(ANSWER_BYTES).decode(errors="replace")
    except (OSError, ValueError, http.client.HTTPException) as silent:
        raise WitnessSilent(str(silent)) from silent


def _size(answer: str) -> int:
    size = answer.strip()
    if not size.isascii() or not size.isdecimal() or len(size) > 18:
        raise WitnessSilent("a conflict without a size")
    return int(size)


def _signed_line(newest: Checkpoint, answer: str, key: VerifierKey) -> str:
    """The line that is this witness's cosignature on this checkpoint."""
    for line in answer.splitlines(keepends=True):
        with contextlib.suppress(Refused):
            if open_note(f"{newest.note}{line}", (key,))[1]:
                return line
    raise WitnessSilent("no cosignature of its key in the answer")


async def _tell(database: Database, witness: WitnessAt, refuses: WitnessRefuses) -> None:
    logger.critical("witness %s refuses the newest checkpoint: %s", witness.key.name, refuses)
    async with database.session() as session:
        body = {"witness": str(witness.key), "status": refuses.status, "size": refuses.size}
        await record(session, "log:witness_refuse", body=body)
