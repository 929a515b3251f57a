"""SIGHUP: the service takes the policy that lies on the disk now, between two decisions, and the log tells it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import Iterator
from typing import Any

from marketplace.audit.actions import record
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.errors import Problem
from policies.answer import fault
from policies.decision import Reason
from policies.engine import Engine
from policies.kept import KeptBroken, keep, module_sha256
from policies.module import Unusable

logger = logging.getLogger(__name__)


def keep_policy(config: Config) -> None:
    """So that what it decides can be decided again. A broken one is not kept; it denies, and that is told."""
    try:
        keep(config.path("store", "policies"))
    except KeptBroken as broken:
        logger.error("the policy cannot be kept: %s", broken)


@contextlib.contextmanager
def reload_on_hangup(engine: Engine, config: Config, database: Database) -> Iterator[None]:
    """While it is open. Only a process's main thread gets signals: elsewhere (in tests) nothing is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    reloading: set[asyncio.Task[None]] = set()

    def hang_up() -> None:
        task = loop.create_task(reload_policy(engine, config, database))
        reloading.add(task)
        task.add_done_callback(reloading.discard)

    loop.add_signal_handler(signal.SIGHUP, hang_up)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


async def reload_policy(engine: Engine, config: Config, database: Database) -> None:
    """Take what lies there now: event `policy:reload`, or `policy:refuse` when nothing may be decided by it.

    `before` and `after`: the revisions that the engine held; a module that is refused leaves the old one.
    """
    before = engine.revision
    await asyncio.to_thread(keep_policy, config)
    refused = await _refused(engine)
    after = engine.revision
    if refused is None:
        await _tell(database, "policy:reload", before=before, after=after, module_sha256=module_sha256(after))
        logger.warning("policy %s after %s", after, before)
    else:
        await _tell(
            database, "policy:refuse", before=before, after=after, code=refused.code, params=refused.params
        )
        logger.error("policy %s after %s, refused: %s", after, before, refused.code)


async def _refused(engine: Engine) -> Reason | None:
    """Why what lies there is not decided by; None: it is."""
    try:
        await engine.reload()
    except Unusable as unusable:
        logger.error("the policy cannot be used: %s", unusable)
        return unusable.reason
    # A server takes its bundle by itself: that it is unsigned, too old or another is seen only when it is asked.
    code = (await engine.health()).code
    return None if code is None else fault(code)


async def _tell(database: Database, name: str, **body: Any) -> None:
    """No policy waits for the log: each decision names its revision by itself."""
    try:
        async with database.session() as session:
            await record(session, name, body=body)
    except Problem as problem:
        logger.error("%s of %s is not in the log: %s", name, body, problem.code)
