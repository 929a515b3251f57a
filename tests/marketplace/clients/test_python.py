"""The Python client against a real service: price, answer, refusals, waiting, breaking off."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from marketplace.cli.demo import unused_port
from sandulieu_client import (
    AnswerFailed,
    Busy,
    Connection,
    Denied,
    Refused,
    SandulieuError,
    SqlRefused,
    TooDear,
    Unreachable,
    connect,
    question,
    watching,
)
from sandulieu_client.progress import Notebook, Silent, Terminal, progress
from tests.market import PURPOSE, SMALL_SQL, Market
from tests.marketplace.clients.between import Between, Stream, between

LONG_SQL = "SELECT count(*) AS n FROM adult a JOIN adult b ON a.age >= b.age"


@pytest.fixture(scope="module")
def direct(market: Market) -> Iterator[Connection]:
    with connect(market.url, market.parties.tokens["startup"], language="en") as connection:
        yield connection


@pytest.fixture
def middle(market: Market) -> Iterator[Between]:
    with between(market.url) as state:
        yield state


@pytest.fixture
def through(market: Market, middle: Between) -> Iterator[Connection]:
    with connect(middle.url, market.parties.tokens["startup"], language="en") as connection:
        yield connection


def paid(market: Market) -> int:
    found = market.balance()
    return int(found["available_vnd"])


def test_a_question_has_a_price_first_and_is_paid_once(market: Market, direct: Connection, tmp_path: Path) -> None:
    before = paid(market)
    asked = direct.query(SMALL_SQL, agreement=market.agreements["adult"], purpose=PURPOSE, max_vnd=1_000_000)
    quote = asked.quote()
    assert quote.columns == (("education", "VARCHAR"), ("n", "BIGINT"))
    assert (quote.vnd > 0, paid(market)) == (True, before)
    table = asked.to_arrow()
    answer = asked.run()
    assert (table.column_names, table.num_rows) == (["education", "n"], answer.rows)
    assert before - paid(market) == answer.charged_vnd == quote.vnd
    rows = json.loads(asked.save(tmp_path / "answer.json").read_text())
    assert rows == table.to_pylist()
    assert pa.ipc.open_stream(asked.save(tmp_path / "answer.arrow").read_bytes()).read_all().equals(table)
    assert answer.receipt()["query_id"] == answer.id
    assert asked.run() is answer
    assert before - paid(market) == quote.vnd


def test_a_form_that_there_is_not_is_told_before_anything_is_paid(
    market: Market, direct: Connection, tmp_path: Path
) -> None:
    before = paid(market)
    asked = direct.query(SMALL_SQL, agreement=market.agreements["adult"], purpose=PURPOSE)
    for path, form in (("answer.xlsx", None), ("answer", None), ("answer.csv", "xml")):
        with pytest.raises(ValueError, match="one of arrow, parquet, csv, json"):
            asked.save(tmp_path / path, form)
    assert paid(market) == before


def test_the_purpose_is_that_of_the_agreement_unless_told(market: Market, direct: Connection) -> None:
    assert direct.query(SMALL_SQL, agreement=market.agreements["adult"]).quote().vnd > 0


def test_without_an_agreement_in_force_it_says_which_are_there(market: Market) -> None:
    with connect(market.url, market.parties.tokens["rival"]) as rival, pytest.raises(SandulieuError) as refused:
        rival.query(SMALL_SQL)
    assert refused.value.code == "agreement.which"


def test_a_denial_says_each_reason_in_both_languages(market: Market, direct: Connection) -> None:
    with pytest.raises(Denied) as denied:
        direct.query(SMALL_SQL, agreement=market.agreements["adult"], purpose="resale").quote()
    assert denied.value.reasons
    for reason in denied.value.reasons:
        assert set(reason.words) == {"vi", "en"}
        assert reason.code in str(denied.value)


def test_sql_that_is_not_understood_is_pointed_at(market: Market, direct: Connection) -> None:
    sql = "SELECT education,\n  nvl(age, 0) AS a\nFROM adult"
    with pytest.raises(SqlRefused) as refused:
        direct.query(sql, agreement=market.agreements["adult"], purpose=PURPOSE).quote()
    error = refused.value
    assert (error.code, error.line, error.column, error.word, error.use) == (
        "sql.unknown_function", 2, 3, "nvl", "coalesce")  # fmt: skip
    assert error.marked(sql) == "  nvl(age, 0) AS a\n  ^^^"


def test_a_field_that_is_wrong_is_named(direct: Connection) -> None:
    with pytest.raises(Refused) as refused:
        direct.query(SMALL_SQL, agreement="no-id", purpose=PURPOSE).quote()
    assert refused.value.code == "request.invalid"
    assert "agreement_ids" in str(refused.value)


def test_above_the_most_that_is_paid_nothing_runs(market: Market, direct: Connection) -> None:
    before = paid(market)
    with pytest.raises(TooDear):
        direct.query(SMALL_SQL, agreement=market.agreements["adult"], purpose=PURPOSE, max_vnd=0).run()
    assert paid(market) == before


def test_an_answer_that_fails_says_why(market: Market, direct: Connection) -> None:
    sql = "SELECT CAST(education AS BIGINT) AS x FROM adult"
    with pytest.raises(AnswerFailed) as failed:
        direct.query(sql, agreement=market.agreements["adult"], purpose=PURPOSE, progress=False).run()
    assert failed.value.code == "sandbox.engine_refused"
    assert failed.value.params["query_id"]


def test_a_wrong_token_and_no_service_are_errors_of_their_own(market: Market) -> None:
    with connect(market.url, "sdl_nobody") as stranger, pytest.raises(Refused) as refused:
        stranger.agreements()
    assert refused.value.code == "auth.token_invalid"
    with connect(market.url, "", language="en") as nobody, pytest.raises(Refused, match="SANDULIEU_TOKEN"):
        nobody.agreements()
    with connect(f"http://127.0.0.1:{unused_port('127.0.0.1')}", "x") as nowhere, pytest.raises(Unreachable):
        nowhere.agreements()


def test_a_busy_service_is_waited_for_as_it_says(market: Market, middle: Between, through: Connection) -> None:
    middle.busy = 1
    assert through.query(SMALL_SQL, agreement=market.agreements["adult"], purpose=PURPOSE).quote().vnd > 0
    assert len(middle.asked) == 2
    middle.busy = 1
    with (
        connect(middle.url, market.parties.tokens["startup"], patience_s=0.5) as hasty,
        pytest.raises(Busy) as busy,
    ):
        hasty.agreements()
    assert busy.value.retry_after_s == 1


def test_a_lost_answer_is_asked_for_again_and_paid_once(
    market: Market, middle: Between, through: Connection
) -> None:
    before = paid(market)
    middle.lost = 1
    asked = through.query(SMALL_SQL, agreement=market.agreements["adult"], purpose=PURPOSE, progress=False)
    answer = asked.run()
    assert middle.asked.count(("POST", "/api/v1/queries")) == 2
    assert len(set(middle.keys)) == 1
    assert before - paid(market) == answer.charged_vnd > 0


def test_a_quote_that_ended_meanwhile_is_asked_for_anew(
    market: Market, middle: Between, through: Connection
) -> None:
    asked = through.query(SMALL_SQL, agreement=market.agreements["adult"], purpose=PURPOSE, progress=False)
    told, middle.late = asked.quote(), 1
    answer = asked.run()
    assert (answer.charged_vnd, asked.quote().vnd) == (told.vnd, told.vnd)
    assert asked.quote().id != told.id
    assert len(set(middle.keys)) == 1


def test_what_is_dearer_than_the_quote_that_ended_runs_only_when_told_again(
    market: Market, middle: Between, through: Connection
) -> None:
    before = paid(market)
    asked = through.query(SMALL_SQL, agreement=market.agreements["adult"], purpose=PURPOSE, progress=False)
    told = asked.quote().vnd
    middle.late, middle.dearer_vnd = 1, 7
    with pytest.raises(TooDear, match="run\\(\\) again") as dear:
        asked.run()
    assert (dear.value.params, paid(market)) == ({"quote_vnd": told + 7, "max_vnd": told}, before)
    assert asked.run().charged_vnd == before - paid(market) == told
    within = through.query(SMALL_SQL, agreement=market.agreements["adult"], max_vnd=told + 7, progress=False)
    middle.dearer_vnd = 0
    within.quote()
    middle.late, middle.dearer_vnd = 1, 7
    assert within.run().charged_vnd == told


class Watched(Silent):
    """Notes the states that are shown; `break_off`: an interrupt comes while the first stream's is shown."""

    def __init__(self, *, break_off: bool = False) -> None:
        self.states: list[str] = []
        self.break_off = break_off

    def show(self, state: str, share: float | None) -> None:
        self.states.append(state)
        if self.break_off and len(self.states) > 1:
            raise KeyboardInterrupt


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    shown = Watched()
    monkeypatch.setattr(question, "FIRST_WAIT_S", 0.0)
    monkeypatch.setattr(question, "progress", lambda _: shown)
    return shown


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client slept each time."""
    slept: list[float] = []
    honest = time.sleep

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        honest(seconds)

    monkeypatch.setattr("sandulieu_client.question.time.sleep", sleep)
    return slept


def asked_for(middle: Between) -> tuple[int, int]:
    """Streams and looks at the query."""
    looks = [path for method, path in middle.asked if method == "GET" and "/api/v1/queries/" in path]
    streams = [path for path in looks if path.endswith("/events")]
    results = [path for path in looks if path.endswith("/result")]
    return len(streams), len(looks) - len(streams) - len(results)


def test_a_stream_tells_how_a_query_gets_on_and_nothing_is_polled(
    market: Market, middle: Between, through: Connection, watched: Watched, pauses: list[float]
) -> None:
    answer = through.query(LONG_SQL, agreement=market.agreements["adult"], purpose=PURPOSE).run()
    assert (answer.rows, asked_for(middle), pauses) == (1, (1, 1), [])
    assert len(watched.states) > 1
    assert watched.states[-1] == "running"


@pytest.mark.parametrize("way", ["refused", "page", "kept", "cut"])
def test_without_a_whole_stream_it_is_polled_with_pauses_and_paid_once(
    way: Stream, market: Market, middle: Between, through: Connection, watched: Watched, pauses: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if way == "kept":
        monkeypatch.setattr(watching, "_FIRST_S", 0.5)
    before, middle.stream = paid(market), way
    answer = through.query(LONG_SQL, agreement=market.agreements["adult"], purpose=PURPOSE).run()
    assert (answer.rows, before - paid(market)) == (1, answer.charged_vnd)
    streams, looks = asked_for(middle)
    assert 0 < looks == len(pauses)
    assert streams == (looks if way == "cut" else 1)
    assert all(pause > 0.1 for pause in pauses)


@pytest.mark.parametrize("way", ["refused", "passed"])
def test_an_interrupt_ends_the_query_at_the_service_too(
    way: Stream, market: Market, middle: Between, through: Connection, watched: Watched
) -> None:
    middle.stream, watched.break_off = way, True
    with pytest.raises(KeyboardInterrupt):
        through.query(LONG_SQL, agreement=market.agreements["adult"], purpose=PURPOSE).run()
    method, path = middle.asked[-1]
    assert (method, path.rpartition("/")[0]) == ("DELETE", "/api/v1/queries")


def test_progress_suits_the_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(progress(False), Silent)
    assert isinstance(progress(None), Silent), "not a terminal"
    line = progress(True)
    assert isinstance(line, Terminal)
    line.show("running", 0.5)
    line.end()
    told = capsys.readouterr().err
    assert "running [██████████          ]" in told
    assert told.endswith("\x1b[2K")


class Shown:
    """What a notebook would show."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, data: dict[str, str], **_: object) -> Shown:
        self.lines.append(data["text/plain"])
        return self

    update = __call__


def test_a_notebook_shows_one_line_that_changes_and_goes() -> None:
    shown = Shown()
    line = Notebook(shown)
    line.show("queued", None)
    line.show("running", None)
    line.end()
    assert [text.split()[1] if text else "" for text in shown.lines] == ["queued", "running", ""]
