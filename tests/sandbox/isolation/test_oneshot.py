"""A jail for one job: what goes in, what comes out, and every way in which it may fail."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from sandbox.isolation.oneshot import OneShot, run_once
from sandbox.isolation.runtime import Bind
from sandbox.job import SandboxFailed

INSIDE = (Bind(str(Path(__file__).with_name("inside.py")), "/site/inside.py"),)


def read_all(file: BinaryIO) -> bytes:
    return file.read()


def run(
    job: str,
    payload: bytes = b"",
    *,
    inputs: tuple[Path, ...] = (),
    consume: Callable[[BinaryIO], bytes] = read_all,
    max_output_bytes: int = 1_000_000,
    deadline_ms: int = 30_000,
) -> OneShot[bytes]:
    descriptors = [os.open(path, os.O_RDONLY) for path in inputs]
    try:
        return run_once(
            f"inside:{job}",
            payload,
            descriptors,
            consume=consume,
            deadline_ms=deadline_ms,
            memory_bytes=256 * 1024 * 1024,
            max_output_bytes=max_output_bytes,
            extra=INSIDE,
        )
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def test_a_job_reads_its_inputs_by_name_and_answers(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"mot,")
    (tmp_path / "b").write_bytes(b"hai")
    done = run("copy", b"ok", inputs=(tmp_path / "a", tmp_path / "b"))
    assert done.value == b"mot,hai"
    assert done.reply == b"OK"
    assert done.usage.cpu_us > 0
    assert done.usage.peak_memory_bytes > 1_000_000
    assert done.usage.result_bytes == len(done.value)


def test_more_inputs_than_one_message_carries_are_all_readable_by_name(tmp_path: Path) -> None:
    paths = [tmp_path / str(i) for i in range(230)]
    for i, path in enumerate(paths):
        path.write_bytes(b"%d;" % i)
    done = run("copy_named", b"230", inputs=tuple(paths))
    assert done.value == b"".join(b"%d;" % i for i in range(230))


def test_a_name_that_goes_on_over_the_edge_of_a_page_is_read_whole(tmp_path: Path) -> None:
    """Where it lies is chance: whoever had it there could open none of its files, and its jail had no child."""
    (tmp_path / "a").write_bytes(b"here")
    opened = run("open_over_edges", inputs=(tmp_path / "a",)).reply
    assert opened == bytes([True] * len(opened))


@pytest.mark.parametrize(
    ("job", "code"),
    [
        ("spin", "sandbox.deadline"),
        ("fill_memory", "sandbox.memory"),
        ("write_forever", "sandbox.too_many_bytes"),
        ("fail", "sandbox.engine_refused"),
        ("die", "sandbox.worker_lost"),
    ],
)
def test_each_way_to_fail_has_its_word(job: str, code: str) -> None:
    with pytest.raises(SandboxFailed) as caught:
        run(job, b"cell of data", deadline_ms=3_000 if code == "sandbox.deadline" else 30_000)
    assert caught.value.code == code
    assert caught.value.entered
    assert "cell of data" not in repr(caught.value.__dict__)


def test_an_entry_that_does_not_exist_never_enters() -> None:
    with pytest.raises(SandboxFailed) as caught:
        run("nothing_of_that_name")
    assert caught.value.code in ("sandbox.engine_refused", "sandbox.unavailable", "sandbox.worker_lost")


def test_what_the_consumer_raises_ends_the_job_and_is_raised() -> None:
    def refuse(file: BinaryIO) -> bytes:
        file.read(10)
        raise KeyError("not what was announced")

    # More than one read takes off the pipe: else the job may have broken its own limit by then, and that is told.
    with pytest.raises(KeyError):
        run("write_forever", consume=refuse, max_output_bytes=16 * 1024 * 1024)


def test_a_consumer_that_stops_early_still_gets_the_reply(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 500_000)
    done = run("copy", b"ok", inputs=(tmp_path / "a",), consume=lambda file: file.read(3))
    assert (done.value, done.reply) == (b"xxx", b"OK")
