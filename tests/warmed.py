"""What each process of ours would make anew and alike as it starts: made once, before they are forked.

Whoever starts without being forked makes all of it: `sandulieu demo`, and what the tests of a start begin.
"""

from __future__ import annotations

import gc
import logging
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from unittest.mock import patch

from litestar import Litestar
from litestar.logging.config import LoggingConfig

from marketplace import tables  # noqa: F401  # every table is known, as in the service
from marketplace.queries.services import Services
from marketplace.web import app
from policies.sources import FOLDER
from sandbox.isolation import runtime
from tests import compiled


class _Later(AbstractAsyncContextManager[Services]):
    """The parts of the service that is forked, which opens them itself."""

    opened: AbstractAsyncContextManager[Services]

    async def __aenter__(self) -> Services:
        return await self.opened.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, at: TracebackType | None
    ) -> bool | None:
        return await self.opened.__aexit__(kind, raised, at)


_LATER = _Later()
# Who is forked off us may be a command, which logs as Python does; and no thread comes with it.
with patch.object(LoggingConfig, "configure", return_value=logging.getLogger):
    _APP = app.create_app(_LATER)


def create_app(opened: AbstractAsyncContextManager[Services]) -> Litestar:
    """As the service's own, once a process: its routes and their signatures were made before it was forked."""
    _LATER.opened = opened
    if _APP.logging_config is not None:
        _APP.get_logger = _APP.logging_config.configure()
        _APP.logger = _APP.get_logger("litestar")
    return _APP


runtime.binds()
compiled.keep(FOLDER)
gc.freeze()
