"""One call into the module a decision, as OPA's ABI 1.2 allows: the library makes five, and each of them costs."""

from __future__ import annotations

from typing import Any

import msgspec
from opapywasm import OpaEvaluationError, OpaWasmError
from opapywasm.evaluator import Evaluator

PAGE_BYTES = 64 * 1024
ALIGNED = 8


class OneCall(Evaluator):
    """Lays the question where the data ends: `opa_eval` itself begins its heap behind it."""

    def evaluate(self, input_value: Any, entrypoint_id: int) -> Any:
        """The result set. Raises OpaWasmError; once the module was entered its instance is not used again."""
        document = self._codec.encode_input(
            input_value, limit=self._max_input_bytes, validate=self._validate_input
        )
        if self._on_enter_wasm is not None:
            self._on_enter_wasm()
        try:
            self._arm_deadline()
            start = -(-self._data.data_heap_ptr // ALIGNED) * ALIGNED
            end = start + -(-len(document) // ALIGNED) * ALIGNED
            self._reserve(end)
            self._abi.memory_write(start, document)
            said = self._abi.opa_eval(entrypoint_id, self._data.data_addr, start, len(document), end)
            text = self._codec.read_cstring(said)
            self._disarm_deadline()
            return msgspec.json.decode(text)
        except OpaWasmError:
            raise
        except Exception as error:
            raise OpaEvaluationError(f"evaluation failed: {error}") from error

    def _reserve(self, end: int) -> None:
        """Nothing allocated this, so the memory may end before it."""
        short = end - self._abi.memory_len()
        if short > 0:
            runtime = self._abi._rt
            runtime.memory.grow(runtime.store, -(-short // PAGE_BYTES))
