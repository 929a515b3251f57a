"""Code in the metadata of an answer."""

from __future__ import annotations

import os
import pickle
from typing import BinaryIO

import pyarrow as pa

from .answers import stream_of, write_all


class _Pickled:
    def __reduce__(self) -> tuple[object, ...]:
        return os.abort, ()


def a_pickled_type(output: BinaryIO) -> bytes:
    """Old readers of Arrow call whatever the metadata of such a field pickles."""
    told = {
        "ARROW:extension:name": "arrow.py_extension_type",
        "ARROW:extension:metadata": pickle.dumps(_Pickled()),
    }
    schema = pa.schema([pa.field("outcome", pa.string(), metadata=told)])
    batch = pa.record_batch([pa.array(["hidden"])], schema=schema)
    return write_all(output, stream_of(batch))
