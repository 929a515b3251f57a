"""What others wrote cannot steer the terminal of whoever reads it at the shell."""

from __future__ import annotations

import msgspec
import pytest

from marketplace.cli.client import Answer
from marketplace.cli.refusals import tell_refusal
from tests.catalog.small import MANIFEST, people, write
from tests.market import Market

SLUG = "so_dieu_khien"
STEERS = r"\e[2J\e]0;x\a\u009b31m\u202e\u2066\r\b"
"""As YAML writes it: clears the screen, names the window, goes on in red, turns what follows round, goes back."""


@pytest.fixture(scope="module")
def steering(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Market:
    """A dataset of an owner whose words hold what steers a terminal."""
    folder = tmp_path_factory.mktemp("steering")
    said = MANIFEST.replace("slug: small", f"slug: {SLUG}").replace("owner: test", "owner: cuc-du-lieu-mau")
    said = said.replace("{kind: consent, law: test}", "{kind: consent, law: personal-data-law-91-2025}")
    said = said.replace("{vi: Sổ nhỏ, en: Small register}", f'{{vi: "Sổ{STEERS} nhỏ", en: "Small{STEERS}"}}')
    said = said.replace("{vi: Nơi, en: Place}", f'{{vi: "Nơi{STEERS}", en: Place}}')
    assert said.count(STEERS) == 3
    manifest = folder / "manifest.yaml"
    manifest.write_text(said, encoding="utf-8")
    market.publish(SLUG, manifest, write(folder / "rows.csv", people()))
    return market


@pytest.mark.parametrize("asked", [("show", SLUG), ("search",)])
def test_an_owners_words_do_not_steer_the_terminal(steering: Market, asked: tuple[str, ...]) -> None:
    done = steering.command("catalog", *asked)
    assert done.returncode == 0, done.stderr
    assert "Sổ" in done.stdout
    assert SLUG in done.stdout
    assert all(line.isprintable() for line in done.stdout.split("\n")), repr(done.stdout)


def test_a_problem_of_the_service_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    said = {"what": "Cột\x1b[2J là \u202egì", "why": "w\x9b", "next": "n\r"}
    wrong = {"path": "$.\x1bx", "messages": {"vi": said}}
    body = {"code": "sql.unknown_column", "messages": {"vi": said}, "errors": [wrong]}
    assert tell_refusal(_answer(body)) == 1
    told = capsys.readouterr().err
    assert "Cột�[2J là �gì" in told
    assert all(line.isprintable() for line in told.split("\n")), repr(told)


def _answer(body: object) -> Answer:
    return Answer(status=422, headers={}, body=msgspec.json.encode(body))
