"""A log fetched by who has nothing but verify.py and a key: all of it, what is new, and what does not continue."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.marketplace.verifier.material import Made
from tests.marketplace.verifier.outside import Said, run_all


class _Below(SimpleHTTPRequestHandler):
    """The files of a log where the service shows them."""

    def translate_path(self, path: str) -> str:
        return super().translate_path(path.removeprefix("/api/v1/audit"))

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def public(tmp_path: Path) -> Path:
    return tmp_path / "public"


@pytest.fixture
def address(public: Path) -> Iterator[str]:
    public.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Below, directory=str(public)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def grown(log: Made, leaves: int) -> Made:
    for _ in range(leaves):
        log.add()
    return log


def fetch(log: Made, address: str, folder: Path) -> Said:
    (said,) = run_all([["fetch", address, folder, "--key", log.key, "--json"]])
    return said


def test_a_log_is_fetched_whole_then_what_is_new_and_held_to_what_was_there(
    public: Path, address: str, tmp_path: Path
) -> None:
    log, folder = grown(Made(), 300), tmp_path / "mine"
    log.write(public)
    first = fetch(log, address, folder)
    assert (first.exit_code, first.document["checks"][0]["detail"]) == (0, f"5 → {folder}")
    grown(log, 300).write(public)
    second = fetch(log, address, folder)
    assert (second.exit_code, second.document["checks"][-1]["detail"]) == (0, "300, 600")
    assert second.document["checks"][0]["detail"] == f"5 → {folder}", "whole tiles are not fetched again"
    (checked,) = run_all([["log", folder, "--key", log.key, "--json"]])
    assert checked.exit_code == 0


def test_a_log_that_was_rewritten_is_refused_and_the_older_head_is_kept(
    public: Path, address: str, tmp_path: Path
) -> None:
    log, folder = grown(Made(), 10), tmp_path / "mine"
    log.write(public)
    assert fetch(log, address, folder).exit_code == 0
    kept = (folder / "checkpoint").read_text()
    other = grown(Made(signer=log.signer, salt_key=log.salt_key), 20)
    other.write(public)
    said = fetch(log, address, folder)
    assert (said.exit_code, said.codes) == (1, ["consistency.fork"])
    assert (folder / "checkpoint").read_text() == kept


def test_what_does_not_answer_is_not_told_as_a_forgery(public: Path, address: str, tmp_path: Path) -> None:
    log = Made()
    for base in ("http://127.0.0.1:9", "file:///etc"):
        (said,) = run_all([["fetch", base, tmp_path / "mine", "--key", log.key]])
        assert said.exit_code == 2
        assert "Do not trust" not in said.err
    grown(log, 3).write(public)
    for each in (public / "tile" / "entries").rglob("3"):
        each.unlink()
    assert fetch(log, address, tmp_path / "mine").codes == ["log.missing"]
    assert fetch(Made(), address, tmp_path / "mine").codes == ["note.unsigned"]
