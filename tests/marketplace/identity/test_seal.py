"""What is sealed opens as what it is, or not at all."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from marketplace.errors import Problem
from marketplace.identity.seal import Kind, SealBroken, seal, unseal
from marketplace.identity.session import TOKEN_PREFIX, Session, as_cookie, as_token, new_session, opened

KEY = secrets.token_bytes(32)
KINDS: tuple[Kind, ...] = ("sign-in", "session", "token")


@given(st.binary(max_size=300), st.sampled_from(KINDS))
def test_what_was_sealed_comes_out_again(content: bytes, kind: Kind) -> None:
    assert unseal(KEY, kind, seal(KEY, kind, content)) == content


@given(st.binary(max_size=60), st.integers(min_value=0), st.sampled_from("ABCxyz019-_=+/. \n\x00é"))
def test_no_changed_character_passes(content: bytes, place: int, other: str) -> None:
    text = seal(KEY, "session", content)
    at = place % len(text)
    changed = text[:at] + other + text[at + 1 :]
    assume(changed != text and at != len(text) - 1)  # the last character's last bits carry nothing
    with pytest.raises(SealBroken):
        unseal(KEY, "session", changed)


@given(st.text(max_size=200))
def test_what_we_did_not_seal_does_not_open(text: str) -> None:
    with pytest.raises(SealBroken):
        unseal(KEY, "session", text)


def test_a_thing_of_one_kind_or_key_is_none_of_another() -> None:
    text = seal(KEY, "token", b"x")
    for key, kind in ((KEY, "session"), (KEY, "sign-in"), (secrets.token_bytes(32), "token")):
        with pytest.raises(SealBroken):
            unseal(key, kind, text)  # type: ignore[arg-type]


def refused(kind: str, text: str) -> str:
    with pytest.raises(Problem) as told:
        opened(KEY, kind, text)  # type: ignore[arg-type]
    return told.value.code


def test_a_session_ends_by_itself_and_its_token_not_later() -> None:
    over: Session = new_session("P00001", lifetime_s=0)
    assert refused("session", as_cookie(KEY, over)) == "subject.session_ended"
    live = new_session("P00001", lifetime_s=60)
    token, expires_at_ms = as_token(KEY, live, lifetime_s=3600)
    assert expires_at_ms == live.expires_at_ms
    inside = opened(KEY, "token", token.removeprefix(TOKEN_PREFIX))
    assert (inside.subject, inside.number) == ("P00001", live.number)


def test_a_token_is_no_cookie_and_a_cookie_no_token() -> None:
    live = new_session("P00001", lifetime_s=60)
    token, _ = as_token(KEY, live, lifetime_s=60)
    assert refused("session", token.removeprefix(TOKEN_PREFIX)) == "subject.session_ended"
    assert refused("token", as_cookie(KEY, live)) == "subject.session_ended"
