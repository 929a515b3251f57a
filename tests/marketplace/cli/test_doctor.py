"""`sandulieu doctor` tells what is here, what is missing, and never a password."""

from __future__ import annotations

import socket
from pathlib import Path

import msgspec
import pytest

from marketplace.cli import doctor, present
from marketplace.cli.present import Part
from marketplace.config import Config
from policies import binaries
from policies.signing import signing_key
from sandbox.isolation import layers


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No program on PATH, in .tools or in the cache."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(binaries, "LOCAL", tmp_path)


def _by_name(config: Config) -> dict[str, Part]:
    return {part.name: part for part in doctor.doctor(config)}


def test_every_part_has_words_in_both_languages_and_every_words_a_part(tmp_path: Path) -> None:
    assert set(_by_name(Config(home=tmp_path))) == set(doctor.words())
    for told in doctor.words().values():
        assert set(told) == {"vi", "en"}
        assert all(getattr(words, name) for words in told.values() for name in words.__struct_fields__)


def test_what_the_service_always_needs_is_found_here(tmp_path: Path) -> None:
    parts = _by_name(Config(home=tmp_path))
    assert parts["python"].version
    assert parts["postgresql"].place == f"embedded, {tmp_path / 'postgres'}"
    assert parts["policy"].present
    assert {layer.name: layer.present for layer in layers.check()}.items() <= {
        name: part.present for name, part in parts.items()
    }.items()


@pytest.mark.parametrize("place", ["file/home", "file", "/proc/none/home"])
def test_a_home_that_cannot_be_is_missing(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SANDULIEU_HOME", str(tmp_path / place))
    assert doctor.run(json_output=False) == 1
    assert "✗ home" in capsys.readouterr().out
    assert _by_name(Config(home=tmp_path / "new" / "home"))["home"].present
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("nothing_installed")
def test_programs_that_are_missing_are_told_with_how_to_get_them(tmp_path: Path) -> None:
    parts = _by_name(Config(home=tmp_path))
    assert [name for name in (*binaries.VERSIONS, "chromium") if parts[name].present] == []
    needs = {name: parts[name].need for name in binaries.VERSIONS}
    assert needs == dict.fromkeys(binaries.VERSIONS, "tests") | {"great-expectations": "optional"}
    text = doctor.as_text(list(parts.values()))
    assert [name for name in binaries.VERSIONS if f"python tools/fetch.py {name}" not in text] == []
    assert "apt install chromium" in text


@pytest.mark.usefixtures("nothing_installed")
def test_a_program_of_another_version_is_not_taken_from_the_path(tmp_path: Path) -> None:
    opa = tmp_path / "opa"
    opa.write_text("#!/bin/sh\necho Version: 0.1.0\n")
    opa.chmod(0o755)
    assert binaries.version_of(opa) == "0.1.0"
    assert binaries.find("opa") is None
    opa.write_text(f"#!/bin/sh\necho Version: {binaries.VERSIONS['opa']}\n")
    found = binaries.find("opa")
    assert found is not None
    assert found.place == "path"


def test_a_database_that_does_not_answer_is_missing_and_its_password_is_shown_nowhere(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        url = f"postgresql://someone:hunter2@127.0.0.1:{port}/exchange"
        parts = doctor.doctor(Config(home=tmp_path, database_url=url))
    found = next(part for part in parts if part.name == "postgresql")
    assert (found.present, found.need, found.place) == (False, "always", f"127.0.0.1:{port}/exchange")
    assert "hunter2" not in doctor.as_json(parts) + doctor.as_text(parts)


def test_a_policy_server_that_is_asked_for_and_silent_is_missing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        config = Config(home=tmp_path, opa_url=url, opa_timeout_ms=100)
        without_key = _by_name(config)["opa-server"]
        signing_key(config.path("keys"))
        silent_part = _by_name(config)["opa-server"]
    assert (without_key.present, without_key.need) == (silent_part.present, silent_part.need) == (False, "always")
    assert without_key.place is not None
    assert "policy.unsigned" in without_key.place
    assert silent_part.place is not None
    assert "policy.engine_unavailable" in silent_part.place


def test_the_exit_code_says_whether_something_needed_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SANDULIEU_HOME", str(tmp_path))
    expected = 0 if all(layer.present for layer in layers.check() if layer.mandatory) else 1
    assert doctor.run(json_output=True) == expected
    told = msgspec.json.decode(capsys.readouterr().out, type=list[doctor.Told])
    assert {each.part.name for each in told} == set(doctor.words())
    monkeypatch.setattr(present, "OLDEST_PYTHON", (99, 0))
    assert doctor.run(json_output=False) == 1
    assert "✗ python" in capsys.readouterr().out
