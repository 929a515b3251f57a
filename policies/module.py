"""The compiled policy as it lies in a folder: loaded whole, held against its sources, tried, or refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
from msgspec import Struct
from opapywasm import OpaWasmError, OpaWasmPolicy, PolicyConfig, instance, runtime

from policies.answer import fault
from policies.decision import Reason
from policies.evaluation import OneCall
from policies.fit import MAX_BYTES
from policies.sources import ENTRYPOINTS, data, revision_of

WASM = "policy.wasm"
BUILT = "policy.json"
MAX_MEMORY_PAGES = 1024
INITIAL_MEMORY_PAGES = 8
runtime._DEFAULT_MEMORY_PAGES = INITIAL_MEMORY_PAGES
"""The library lends a module two pages (128 KiB) at first and has no setting; our METADATA needs more."""
instance.Evaluator = OneCall  # type: ignore[attr-defined]
DECIDE_S = 2.0
"""A decision holds the event loop: one that takes this long is broken off, and denies."""


CONFIG = PolicyConfig(
    pool_size=1,
    max_input_bytes=MAX_BYTES,
    max_memory_pages=MAX_MEMORY_PAGES,
    eval_timeout_seconds=DECIDE_S,
    parse_raw_json_input=False,
)


class Built(Struct, frozen=True, kw_only=True):
    """What `policies.build` wrote beside the module: which sources it was made of, and its own hash."""

    revision: str
    sha256: str


class Unusable(Exception):
    """Nothing may be decided by what lies there; `reason` says why."""

    def __init__(self, reason: Reason, said: str) -> None:
        super().__init__(said)
        self.reason = reason


class Module(Struct, frozen=True):
    """One instance, lent to one decision at a time."""

    revision: str
    policy: OpaWasmPolicy


def load(folder: Path) -> Module:
    """The module in `folder`. Raises Unusable: unreadable, of other sources, or not a policy that denies."""
    try:
        module = (folder / WASM).read_bytes()
        stamp = msgspec.json.decode((folder / BUILT).read_bytes(), type=Built)
        expected = revision_of(folder)
        if (stamp.revision, stamp.sha256) != (expected, hashlib.sha256(module).hexdigest()):
            raise Unusable(
                fault("policy.stale", served=stamp.revision, expected=expected),
                "the module is not of these sources",
            )
        return Module(expected, _opened(module, msgspec.json.encode(data(folder), order="deterministic")))
    except (OSError, msgspec.MsgspecError, UnicodeError, OpaWasmError) as error:
        raise Unusable(fault("policy.engine_failed"), str(error)) from error


def _opened(module: bytes, document: bytes) -> OpaWasmPolicy:
    policy = OpaWasmPolicy.from_wasm_bytes(module, CONFIG)
    try:
        policy.set_data(document)
        _try_out(policy)
    except BaseException:
        policy.close()
        raise
    return policy


def _try_out(policy: OpaWasmPolicy) -> None:
    for entrypoint in ENTRYPOINTS:
        said = policy.evaluate(b"{}", entrypoint)
        if not isinstance(said, dict) or said.get("allow") is not False:
            raise Unusable(fault("policy.engine_failed"), f"{entrypoint} does not deny a question without facts")
