"""The module and the server give the same bytes for every generated document, errors included."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Iterator
from typing import Any, get_args

import aiohttp
import msgspec
import pytest
from hypothesis import Phase, given, settings
from opapywasm import OpaWasmPolicy

from policies.decision import Decision, Question
from policies.fit import unfit
from policies.module import WASM
from policies.server import ServerEngine
from policies.sources import FOLDER, data
from policies.wasm import WasmEngine
from tests.examples import tried
from tests.policies.documents import BATCH, BATCHES, FORMS

pytestmark = pytest.mark.hypothesis
"""As what is generated: see tests/conftest.py."""
BATCHES_TRIED = tried(12)
AT_ONCE = 50
Asked = tuple[str, bytes]


@functools.cache
def _generated() -> list[Asked]:
    """The same ones at each run: Hypothesis draws the seeds without chance."""
    found: dict[Asked, None] = {}

    @settings(max_examples=BATCHES_TRIED, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(BATCHES)
    def collect(batch: list[Asked]) -> None:
        found.update(dict.fromkeys(batch))

    collect()
    return list(found)


def _at_once(asked: list[Asked]) -> Iterator[list[Asked]]:
    return (asked[start : start + AT_ONCE] for start in range(0, len(asked), AT_ONCE))


def _bytes(decision: Decision) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(decision, engine=""))


async def test_both_engines_give_the_same_bytes(wasm_engine: WasmEngine, server_engine: ServerEngine) -> None:
    assert len(_generated()) > BATCHES_TRIED * BATCH / 2
    allowed = set()
    for batch in _at_once(_generated()):
        there = await asyncio.gather(*(server_engine.answer(*asked) for asked in batch))
        for asked, theirs in zip(batch, there, strict=True):
            ours = await wasm_engine.answer(*asked)
            assert _bytes(ours) == _bytes(theirs), asked
            allowed.add(ours.allow)
    assert allowed == {True, False}


async def test_the_rules_themselves_agree_on_what_the_engines_refuse_before_they_are_asked(opa_url: str) -> None:
    """Whatever is JSON: wrong types, floats, numbers beyond 2^53, names nobody knows, in any order."""
    refused = [asked for asked in _generated() if unfit(asked[1]) is not None and _is_json(asked[1])]
    assert len(refused) > BATCHES_TRIED * BATCH / 8
    module = OpaWasmPolicy.from_wasm_bytes((FOLDER / WASM).read_bytes())
    module.set_data(msgspec.json.encode(data()))
    async with aiohttp.ClientSession(opa_url) as session:
        for batch in _at_once(refused):
            there = await asyncio.gather(*(_served(session, *asked) for asked in batch))
            for (entrypoint, document), theirs in zip(batch, there, strict=True):
                assert _sorted(module.evaluate(document, entrypoint)) == _sorted(theirs), document
    module.close()


def test_every_form_of_question_is_generated() -> None:
    with_cases = {form.entrypoint for form in FORMS}
    assert with_cases <= {form.entrypoint for form in get_args(Question)}
    assert {entrypoint for entrypoint, _ in _generated()} == with_cases


async def _served(session: aiohttp.ClientSession, entrypoint: str, document: bytes) -> Any:
    async with session.post(f"/v1/data/{entrypoint}", data=b'{"input":' + document + b"}") as response:
        return (await response.json())["result"]


def _sorted(said: Any) -> Any:
    """Reasons are a set, which each engine lists in its own order."""
    reasons = sorted(said["reasons"], key=lambda reason: msgspec.json.encode(reason, order="deterministic"))
    return said | {"reasons": reasons}


def _is_json(document: bytes) -> bool:
    with contextlib.suppress(msgspec.MsgspecError, UnicodeError):
        return isinstance(msgspec.json.decode(document), dict)
    return False
