"""Only what the provider signed for this browser, this exchange and this moment opens a session."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from sqlalchemy import text

from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import Problem
from marketplace.identity.provider import Provider, SecretExposed
from marketplace.identity.session import opened
from marketplace.identity.sign_in import Answered, begin_sign_in, finish_sign_in
from tests.marketplace.identity.forger import FORGERIES, NEW_KEY
from tests.marketplace.identity.signing import choose, citizen

SOMEBODY, OTHER = citizen(1), citizen(2)
REDIRECT = "http://127.0.0.1:1/toi/callback"


def answered(location: str, **changed: str) -> Answered:
    sent = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    found = {"state": sent.get("state", ""), "code": sent.get("code", ""), "error": sent.get("error", "")}
    return Answered(**{**found, "issuer": sent.get("iss", ""), **changed})


async def sign_in(
    database: Database, config: Config, keys: Keys, who: str = SOMEBODY, **changed: str
) -> tuple[str, str, Answered]:
    """The session's cookie, the cookie under which it began, and what the provider answered."""
    provider = Provider(config)
    url, began = await begin_sign_in(provider, keys, redirect_uri=REDIRECT)
    said = answered(choose(url, who), **changed)
    cookie = await finish_sign_in(provider, database, config, keys, cookie=began, answered=said)
    return cookie, began, said


async def code_of(database: Database, config: Config, keys: Keys, who: str = SOMEBODY, **changed: str) -> str:
    with pytest.raises(Problem) as told:
        await sign_in(database, config, keys, who, **changed)
    assert not who or who not in str(told.value.params)
    return told.value.code


async def test_a_citizen_comes_back_with_a_session_of_her_own(
    database: Database, configured: Config, keys: Keys
) -> None:
    cookie, _, _ = await sign_in(database, configured, keys, OTHER)
    session = opened(keys.subject_seal(), "session", cookie)
    assert session.subject == OTHER
    assert OTHER not in cookie + repr(session)


async def test_the_log_says_that_somebody_signed_in_and_not_who(
    database: Database, configured: Config, keys: Keys
) -> None:
    await sign_in(database, configured, keys, OTHER)
    async with database.session() as session:
        newest = text("SELECT * FROM event WHERE name = 'subject:sign_in' ORDER BY id DESC LIMIT 1")
        row = (await session.execute(newest)).mappings().one()
    empty = {name for name, value in row.items() if value in (None, [], {})}
    assert set(row) - empty == {"id", "at", "name", "commitment"}


@pytest.mark.parametrize("forgery", sorted(FORGERIES))
async def test_a_forged_id_token_opens_nothing(
    database: Database, configured: Config, keys: Keys, forgery: str
) -> None:
    assert await code_of(database, configured, keys, forgery) == "subject.id_token_refused"


async def test_a_person_who_refuses_is_not_signed_in(database: Database, configured: Config, keys: Keys) -> None:
    assert await code_of(database, configured, keys, "") == "subject.sign_in_cancelled"


async def test_an_answer_counts_once(database: Database, configured: Config, keys: Keys) -> None:
    _, began, said = await sign_in(database, configured, keys)
    with pytest.raises(Problem) as told:
        await finish_sign_in(Provider(configured), database, configured, keys, cookie=began, answered=said)
    assert told.value.code == "subject.sign_in_stale"


async def test_a_provider_may_change_its_keys(
    database: Database, configured: Config, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Provider(configured)
    for who in (SOMEBODY, NEW_KEY):
        url, began = await begin_sign_in(provider, keys, redirect_uri=REDIRECT)
        said = answered(choose(url, who))
        cookie = await finish_sign_in(provider, database, configured, keys, cookie=began, answered=said)
        assert opened(keys.subject_seal(), "session", cookie).subject == who
        monkeypatch.setattr("marketplace.identity.provider.KEYS_AT_MOST_EVERY_S", 0)


@pytest.mark.parametrize("changed", [{"state": "another"}, {"state": ""}, {"issuer": "https://issuer.example"}])
async def test_an_answer_to_another_question_is_refused(
    database: Database, configured: Config, keys: Keys, changed: dict[str, str]
) -> None:
    assert await code_of(database, configured, keys, **changed) == "subject.sign_in_stale"


async def test_an_answer_in_another_browser_is_refused(database: Database, configured: Config, keys: Keys) -> None:
    provider = Provider(configured)
    url, mine = await begin_sign_in(provider, keys, redirect_uri=REDIRECT)
    _, others = await begin_sign_in(provider, keys, redirect_uri=REDIRECT)
    said = answered(choose(url, SOMEBODY))
    for cookie in ("", "x", others, mine[:-2] + ("AA" if mine[-2:] != "AA" else "BB")):
        with pytest.raises(Problem) as told:
            await finish_sign_in(provider, database, configured, keys, cookie=cookie, answered=said)
        assert told.value.code == "subject.sign_in_stale"


async def test_another_claim_can_name_the_citizen(database: Database, configured: Config, keys: Keys) -> None:
    other = msgspec.structs.replace(configured, oidc_subject_claim="sub")
    cookie, _, _ = await sign_in(database, other, keys)
    assert len(opened(keys.subject_seal(), "session", cookie).subject) == 64


async def test_a_client_with_a_secret_shows_it(
    database: Database, configured: Config, keys: Keys, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret\n", encoding="utf-8")
    confidential = msgspec.structs.replace(configured, oidc_client_secret_file=file)
    file.chmod(0o640)
    with pytest.raises(SecretExposed):
        Provider(confidential)
    file.chmod(0o600)
    cookie, _, _ = await sign_in(database, confidential, keys)
    assert opened(keys.subject_seal(), "session", cookie).subject == SOMEBODY


async def refused_by(config: Config, keys: Keys, issuer: str | None, **more: int) -> str:
    provider = Provider(msgspec.structs.replace(config, oidc_issuer=issuer, **more))
    with pytest.raises(Problem) as told:
        await begin_sign_in(provider, keys, redirect_uri=REDIRECT)
    return told.value.code


async def test_without_a_provider_there_is_no_sign_in(config: Config, keys: Keys) -> None:
    assert await refused_by(config, keys, None) == "subject.sign_in_not_configured"


@pytest.fixture
def silent() -> Iterator[str]:
    """Somebody who takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


async def test_a_provider_that_says_nothing_is_not_waited_for(config: Config, keys: Keys, silent: str) -> None:
    assert await refused_by(config, keys, silent, oidc_timeout_ms=100) == "subject.provider_unavailable"


async def test_a_provider_that_is_down_is_unavailable(config: Config, keys: Keys, silent: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = f"http://127.0.0.1:{gone.getsockname()[1]}"
    assert await refused_by(config, keys, address) == "subject.provider_unavailable"


@pytest.mark.parametrize(
    "issuer", ["http://vneid.example", "ftp://127.0.0.1", "file:///etc/passwd", "//x", "https://["]
)
async def test_an_address_that_is_not_safe_is_not_asked(config: Config, keys: Keys, issuer: str) -> None:
    assert await refused_by(config, keys, issuer) == "subject.provider_unavailable"


class _Babble(BaseHTTPRequestHandler):
    said: bytes

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.said)

    def log_message(self, *_: object) -> None:
        pass


ANOTHER = (
    b'{"issuer": "https://another.example", "authorization_endpoint": "", "token_endpoint": "", "jwks_uri": ""}'
)
ENDLESS = b'{"x": "' + b"x" * 400_000 + b'"}'


@pytest.mark.parametrize(
    "said", [b"", b"<html>", b"[]", ANOTHER, ENDLESS], ids=["", "page", "list", "other", "endless"]
)
async def test_a_provider_that_speaks_otherwise_is_unavailable(config: Config, keys: Keys, said: bytes) -> None:
    with HTTPServer(("127.0.0.1", 0), type("Bound", (_Babble,), {"said": said})) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        assert await refused_by(config, keys, address) == "subject.provider_unavailable"
        thread.join()
