"""What a jail sends back of very many persons is longer than a frame may be."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from catalog import wire
from catalog.storage import Store
from catalog.wire import read_frames, write_array, write_frame
from tests.catalog.plain import in_process
from tests.catalog.small import people, publish_rows


def test_an_array_of_any_length_arrives_whole_and_no_frame_is_dropped_unnamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "_MAX_FRAME_BYTES", 6_000)
    monkeypatch.setattr(wire, "ARRAY_FRAME_BYTES", 1_000)
    with in_process():
        made = publish_rows(Store(tmp_path / "s"), tmp_path, people(2_400))
    assert made.version.persons == 2_400
    sink = io.BytesIO()
    write_array(sink, b"NONE", b"")
    write_array(sink, b"SOME", bytes(1_500))
    sink.seek(0)
    assert [(kind, len(body)) for kind, body in read_frames(sink)] == [
        (b"NONE", 0),
        (b"SOME", 1000),
        (b"SOME", 500),
    ]
    with pytest.raises(ValueError, match="PART"):
        write_frame(sink, b"PART", bytes(6_001))
