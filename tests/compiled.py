"""Modules of WebAssembly, compiled once each: a policy takes half a second, and comes out the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import wasmtime

from policies.module import WASM

_COMPILED: dict[bytes, bytearray] = {}
_compile = wasmtime.Module


class _Kept(_compile):
    """Compiled as wasmtime does it, but once; an engine takes only what was compiled for its like."""

    def __new__(cls, engine: wasmtime.Engine, wasm: bytes) -> Any:
        return _compile.deserialize(engine, _COMPILED.get(wasm) or _once(wasm))


def keep(*folders: Path) -> None:
    """What is loaded from now on in this process; and the policies in these folders at once."""
    wasmtime.Module = _Kept  # type: ignore[misc, assignment]
    for folder in folders:
        _once((folder / WASM).read_bytes())


def _once(wasm: bytes) -> bytearray:
    as_policies_are = wasmtime.Config()
    as_policies_are.epoch_interruption = True
    as_policies_are.parallel_compilation = False  # threads would be missed by whoever is forked off us
    _COMPILED[wasm] = _compile(wasmtime.Engine(as_policies_are), wasm).serialize()
    return _COMPILED[wasm]
