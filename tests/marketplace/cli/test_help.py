"""Every word of the command line comes in Vietnamese and English from one file, and so does what is wrong."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.cli.command_line import key_of, name_of, words
from marketplace.cli.main import main, parser
from marketplace.texts import LANGUAGES

OF_ALL = {"sandulieu", "usage", "arguments", "options"}
IN_OUTPUT = {"ledger balance legend", "catalog search nothing", "query epilog"}


def _every(here: argparse.ArgumentParser, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and name of each command (no name), argument and option."""
    for action in here._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield f"{path} {name}".strip(), ""
                yield from _every(below, f"{path} {name}".strip())
        else:
            yield path, name_of(action)


EVERY = sorted(set(_every(parser())))


def test_each_command_argument_and_option_is_told_and_no_words_are_left_over() -> None:
    keys = {each: key_of(*each) for each in EVERY}
    assert [each for each, key in keys.items() if key is None] == []
    assert words().keys() - set(keys.values()) == OF_ALL | IN_OUTPUT


@pytest.mark.parametrize("key", sorted(words()))
def test_both_languages_are_there(key: str) -> None:
    assert set(words()[key]) == set(LANGUAGES)
    assert all(words()[key].values())


def test_help_shows_both_and_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["ledger", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.startswith("cách dùng / usage: sandulieu ledger")
    for verb in ("balance", "reconcile", "close"):
        assert " / ".join(words()[f"ledger {verb}"].values()) in shown


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("query run x", ("Lệnh còn thiếu: --agreement", "The command lacks: --agreement")),
        ("months show 2026-10", ("Xem `sandulieu months show --help`", "See `sandulieu months show --help`")),
        ("db status --no-such", ("Lệnh có phần không ai biết: --no-such", "what nobody knows: --no-such")),
        ("qery", ("COMMAND không thể là 'qery'", "COMMAND cannot be 'qery'")),
        ("serve --port", ("Sau --port còn thiếu giá trị", "There is no value after --port")),
        ("serve --port many", ("Giá trị của --port không dùng được", "of --port cannot be used: 'many'")),
        ("query receipt x --json --proof", ("--proof không đi cùng --json", "--proof does not go with --json")),
        ("policies replay --candidate x --since yesterday", ("yesterday (ISO 8601: 2026", "cannot be used: yest")),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_command_is_told_in_both(
    given: str, said: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(given.split())
    *_, vi, en = capsys.readouterr().err.splitlines()
    assert said[0] in vi
    assert said[1] in en
    assert "--help`" in vi
    assert "--help`" in en


def test_a_folder_without_rules_is_named_and_opa_is_not_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        assert main(["policies", "replay", "--candidate", str(folder)]) == 1
        vi, en = capsys.readouterr().err.splitlines()
        assert f"Trong {folder} không có quy tắc" in vi
        assert f"There are no rules in {folder}" in en


def test_a_receipt_without_a_key_is_told_why_one_is_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "verify", str(tmp_path / "receipt.json")]) == 2
    vi, en = capsys.readouterr().err.splitlines()
    assert "`--key TỆP`" in vi
    assert "`--key FILE`" in en
