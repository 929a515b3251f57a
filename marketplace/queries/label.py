"""What ties an answer's file to its query and says how it may be used; no value is touched.

It lies in the metadata of the Arrow stream's schema, which Parquet takes over, and in the response's headers, for
CSV and JSON have no place for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote
from uuid import UUID

import msgspec
import pyarrow as pa
from msgspec import Struct

from marketplace.texts import LANGUAGES, message

PREFIX = "sandulieu."
_FRAME_BYTES = 8
"""Before a message of a stream: the mark of continuation and the message's length, four bytes each."""

Label = Mapping[str, str]


class Source(Struct, frozen=True, kw_only=True):
    """A dataset that the answer was made from, as it was read."""

    dataset_id: UUID
    dataset: str
    version_id: str
    revision: int


class Head(NamedTuple):
    """The schema's message with its label, and how many bytes of the stream it stands for."""

    message: bytes
    replaces_bytes: int


def label_of(query_id: UUID, purpose: str, sources: Sequence[Source]) -> Label:
    """By name; `query-datasets` is JSON, a Source each."""
    label = {
        "query-id": str(query_id),
        "query-purpose": purpose,
        "query-datasets": msgspec.json.encode(list(sources)).decode(),
    }
    for language in LANGUAGES:
        notice = message("query.answer_notice", {}, language)
        label[f"query-notice-{language}"] = f"{notice.what} {notice.why} {notice.next}"
    return label


def labelled(start: bytes, label: Label) -> Head | None:
    """The head of the stream that starts so; None: it has not come whole yet."""
    length = int.from_bytes(start[4:_FRAME_BYTES], "little")
    end = _FRAME_BYTES + length
    if len(start) < max(end, _FRAME_BYTES):
        return None
    schema = pa.ipc.read_schema(pa.py_buffer(start[:end]))
    metadata = {PREFIX + name: value for name, value in label.items()}
    return Head(schema.with_metadata(metadata).serialize().to_pybytes(), end)


def headers(schema: pa.Schema) -> dict[str, str]:
    """The label as `X-` headers, texts beyond ASCII percent-encoded (RFC 8187); empty where there is none."""
    found = {name.decode(): value.decode() for name, value in (schema.metadata or {}).items()}
    return {
        "X-" + name.removeprefix(PREFIX).title(): value if value.isascii() else quote(value)
        for name, value in found.items()
        if name.startswith(PREFIX)
    }
