"""`sandulieu catalog …` as a command: what it prints and how it exits."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from marketplace.config import Config
from marketplace.listings.press import Press
from marketplace.texts import LANGUAGES, message
from policies.binaries import find
from tests import forked
from tests.marketplace.listings.conftest import Shop


async def _run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(forked.run, ("catalog", *arguments), {"SANDULIEU_HOME": str(home)})


async def test_check_measures_without_a_database(shop: Shop, tmp_path: Path) -> None:
    file = shop.file()
    (file.parent / "manifest.yaml").write_text(shop.manifest(), encoding="utf-8")
    empty = tmp_path / "home"
    done = await _run(empty, "check", str(file), "--json")
    assert done.returncode == 0, done.stderr
    version = json.loads(done.stdout)
    assert (version["persons"], version["measured"]["k"] >= 5) == (300, True)
    assert not empty.exists(), "nothing is left behind"


async def test_a_check_that_is_ended_leaves_no_persons_records_behind(shop: Shop, tmp_path: Path) -> None:
    file, below = shop.file(), tmp_path / "tmp"
    below.mkdir()
    (file.parent / "manifest.yaml").write_text(shop.manifest(), encoding="utf-8")
    command = [sys.executable, "-m", "marketplace.cli.main", "catalog", "check", str(file)]
    env = {**os.environ, "SANDULIEU_HOME": str(tmp_path / "home"), "TMPDIR": str(below)}
    process = await asyncio.create_subprocess_exec(
        *command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while not list(below.glob("sandulieu-check-*/incoming/*/ingest")):
        assert process.returncode is None
        await asyncio.sleep(0.01)
    process.terminate()
    await process.communicate()
    assert process.returncode != 0
    assert list(below.glob("sandulieu-check-*")) == []


async def test_check_tells_every_error_with_its_place(shop: Shop, tmp_path: Path) -> None:
    manifest = tmp_path / "m.yaml"
    manifest.write_text(shop.manifest().replace("k: 5", "k: 1").replace("source: tests\n", ""), encoding="utf-8")
    done = await _run(tmp_path, "check", str(shop.file(5)), str(manifest))
    assert done.returncode == 1
    assert sum(line.startswith(f"{manifest}:") for line in done.stderr.splitlines()) == 4, (
        "two errors, two languages"
    )


async def test_check_tells_every_reason_for_which_the_policy_would_not_let_it_be_published(
    shop: Shop, tmp_path: Path
) -> None:
    file, manifest = shop.file(5), tmp_path / "m.yaml"
    hearsay = shop.manifest().replace("law: personal-data-law-91-2025", "law: hearsay").replace("k: 5", "k: 2")
    manifest.write_text(hearsay, encoding="utf-8")
    done = await _run(tmp_path / "home", "check", str(file), str(manifest), "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["code"], {reason["code"] for reason in told["reasons"]}) == (
        "listing.denied",
        {"basis.law_unknown", "anonymity.k_asked"},
    )
    for reason in told["reasons"]:
        for language in LANGUAGES:
            assert message(reason["code"], reason["params"], language).what in done.stderr


async def test_check_measures_the_class_that_publication_would_give(shop: Shop, tmp_path: Path) -> None:
    manifest = tmp_path / "m.yaml"
    manifest.write_text(shop.manifest(), encoding="utf-8")
    done = await _run(tmp_path / "home", "check", str(shop.file()), str(manifest))
    assert (done.returncode, "internal · basic" in done.stdout) == (0, True), done.stderr


async def test_usage_is_2(tmp_path: Path, shop: Shop) -> None:
    assert (await _run(tmp_path, "check", str(tmp_path / "none.csv"))).returncode == 2
    assert (await _run(tmp_path, "polish")).returncode == 2


async def test_publish_show_search_on_the_database(
    config: Config, press: Press, shop: Shop, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(shop.manifest(), encoding="utf-8")
    done = await _run(config.home, "publish", str(manifest), str(shop.file()), "--json")
    assert done.returncode == 0, done.stderr
    released = json.loads(done.stdout)
    assert (released["slug"], released["number"]) == (shop.slug, 1)
    assert press.store.version(released["version_id"]).dataset == shop.slug
    shown = await _run(config.home, "show", shop.slug)
    assert "Giấy phép lái xe" in shown.stdout
    found = await _run(config.home, "search", "giay", "phep", shop.slug, "--json")
    assert json.loads(found.stdout)["items"][0]["slug"] == shop.slug
    assert (await _run(config.home, "show", "khong_co")).returncode == 1
    together = await _run(config.home, "together", shop.slug, shop.slug, "--json")
    assert (together.returncode, together.stderr) == (0, "")
    assert json.loads(together.stdout)["finding"] == "publication.combination_wide"
    assert (await _run(config.home, "together", shop.slug, "khong_co")).returncode == 1


async def test_publish_for_an_unknown_owner_is_refused(
    config: Config, press: Press, shop: Shop, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(shop.manifest(owner="nobody-here"), encoding="utf-8")
    done = await _run(config.home, "publish", str(manifest), str(shop.file(5)))
    assert (done.returncode, "nobody-here" in done.stderr) == (1, True)


async def test_a_first_suite_is_written_and_kept_to_by_what_is_checked_beside_it(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Great Expectations, which is said."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "nothing"))
    file = shop.file()
    (file.parent / "manifest.yaml").write_text(shop.manifest(), encoding="utf-8")
    written = await _run(tmp_path / "home", "suite", str(file))
    assert written.returncode == 0, written.stderr
    suite = json.loads(written.stdout)
    known = [e["kwargs"]["value_set"] for e in suite["expectations"] if e["type"].endswith("to_be_in_set")]
    assert sorted(known) == [["A1", "B2"], ["Huế", "Hà Nội"]]
    beside = file.parent / "suite.json"
    beside.write_text(written.stdout, encoding="utf-8")
    met = await _run(tmp_path / "home", "check", str(file), "--json")
    assert met.returncode == 0, met.stderr
    if find("great-expectations") is None:
        assert "our own counts judge the suite alone" in met.stderr
    beside.write_text(written.stdout.replace('"min_value": 10', '"min_value": 1000'), encoding="utf-8")
    missed = await _run(tmp_path / "home", "check", str(file))
    assert missed.returncode == 1
    assert "misses 1 critical expectations" in missed.stderr
