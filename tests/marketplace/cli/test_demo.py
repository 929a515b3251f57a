"""The demo's whole story, as `make demo` plays it: real data, real calls, and the object that it ends with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from marketplace.cli.client import Client, Unreachable
from marketplace.cli.demo import wait_ready
from marketplace.db import embedded
from tests.market import Market


def test_the_story_is_played_to_its_end_and_told_as_json(tmp_path: Path) -> None:
    home = tmp_path / "home"
    try:
        done = subprocess.run(
            [sys.executable, "-m", "marketplace.cli.main", "demo", "--no-serve", "--json"],
            env={**os.environ, "SANDULIEU_HOME": str(home), "SANDULIEU_PORT": "0"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        named = {"base_url", "tokens", "dataset_id", "agreement_id", "purpose", "query_id", "charged_vnd",
                 "receipt", "checkpoint"}  # fmt: skip
        assert named <= told.keys()
        assert set(told["tokens"]) == {"owner", "startup", "regulator", "operator"}
        assert told["charged_vnd"] > 0
        assert Path(told["receipt"]).is_file()
    finally:
        embedded.stop(home)


def test_another_service_at_the_same_port_is_not_taken_for_ours(market: Market) -> None:
    ours = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1)"])
    with pytest.raises(Unreachable):
        wait_ready(Client(market.url, "sdl_0000000000_of-another-home"), ours)
    assert ours.wait() == 0
