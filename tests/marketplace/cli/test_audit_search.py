"""`sandulieu audit search|download` as somebody types them, against the real service."""

from __future__ import annotations

import json
import time
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from marketplace.calendar import VIETNAM
from marketplace.cli.main import main
from tests.market import Market


@pytest.fixture
def as_regulator(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    client = market.client("regulator")
    monkeypatch.setenv("SANDULIEU_URL", client.base_url)
    monkeypatch.setenv("SANDULIEU_TOKEN", client.token or "")


@pytest.mark.usefixtures("as_regulator")
def test_what_is_searched_is_what_is_downloaded(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    asked = ["--name", "dataset:publish", "--q", "adult"]
    assert main(["audit", "search", *asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["items"]
    assert {event["name"] for event in found} == {"dataset:publish"}
    assert main(["audit", "search", *asked]) == 0
    assert (
        datetime.fromtimestamp(found[0]["at"] / 1000, VIETNAM).isoformat(" ", "seconds") in capsys.readouterr().out
    )
    file = tmp_path / "adult.zip"
    until = time.monotonic() + 30
    manifest: dict[str, Any] = {"events": -1}
    while manifest["events"] != len(found) and time.monotonic() < until:  # only what has a leaf is downloaded
        file.unlink(missing_ok=True)
        assert main(["audit", "download", str(file), *asked]) == 0
        with zipfile.ZipFile(file) as archive:
            manifest = json.loads(archive.read("manifest.json"))
    assert manifest["events"] == len(found) > 0
    assert manifest["search"] == {"name": "dataset:publish", "q": "adult"}


@pytest.mark.usefixtures("as_regulator")
def test_a_wrong_filter_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["audit", "search", "--decision", "perhaps"]) == 1
    assert main(["audit", "download", str(tmp_path / "x.zip"), "--decision", "perhaps"]) == 1
    said = capsys.readouterr().err
    assert "request.invalid" in said
    assert "decision: " in said  # which, and what of it
    assert not (tmp_path / "x.zip").exists()
