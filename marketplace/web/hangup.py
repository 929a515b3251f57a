"""SIGHUP: the service takes the policy that lies on the disk now, between two decisions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import Iterator

from marketplace.config import Config
from policies.engine import Engine
from policies.kept import KeptBroken, keep
from policies.module import Unusable

logger = logging.getLogger(__name__)


def keep_policy(config: Config) -> None:
    """So that what it decides can be decided again. A broken one is not kept; it denies, and that is told."""
    try:
        keep(config.path("store", "policies"))
    except KeptBroken as broken:
        logger.error("the policy cannot be kept: %s", broken)


@contextlib.contextmanager
def reload_on_hangup(engine: Engine, config: Config) -> Iterator[None]:
    """While it is open. Only a process's main thread gets signals: elsewhere (in tests) nothing is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    reloading: set[asyncio.Task[None]] = set()

    def hang_up() -> None:
        task = loop.create_task(_reload(engine, config))
        reloading.add(task)
        task.add_done_callback(reloading.discard)

    loop.add_signal_handler(signal.SIGHUP, hang_up)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


async def _reload(engine: Engine, config: Config) -> None:
    before = engine.revision
    await asyncio.to_thread(keep_policy, config)
    try:
        await engine.reload()
    except Unusable as unusable:
        logger.error("policy %s stays: %s", before, unusable)
    else:
        logger.warning("policy %s after %s", engine.revision, before)
