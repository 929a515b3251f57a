"""An Idempotency-Key is one deed of one organisation."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.db.idempotency import KeyReused, claim, seen


async def test_the_same_key_and_body_is_the_same_deed(session: AsyncSession) -> None:
    party, first, second = new_id(), new_id(), new_id()
    assert await seen(session, organisation_id=party, key="k", body=b"a") is None
    for subject in (first, second):
        assert await claim(session, organisation_id=party, key="k", body=b"a", subject_id=subject) == first
    assert await seen(session, organisation_id=party, key="k", body=b"a") == first
    with pytest.raises(KeyReused):
        await claim(session, organisation_id=party, key="k", body=b"b", subject_id=second)


async def test_another_organisations_key_is_another_key(session: AsyncSession) -> None:
    one, two = new_id(), new_id()
    assert await claim(session, organisation_id=new_id(), key="k", body=b"a", subject_id=one) == one
    assert await claim(session, organisation_id=new_id(), key="k", body=b"b", subject_id=two) == two


async def test_of_many_at_once_one_is_first_and_all_hear_of_it(database: Database) -> None:
    party = new_id()

    async def send(subject: UUID) -> UUID:
        async with database.session() as session:
            return await claim(session, organisation_id=party, key="k", body=b"a", subject_id=subject)

    answers = await asyncio.gather(*(send(new_id()) for _ in range(16)))
    assert len(set(answers)) == 1


async def test_a_key_whose_deed_failed_is_free_again(database: Database) -> None:
    party, second = new_id(), new_id()

    async def fail() -> None:
        async with database.session() as session:
            await claim(session, organisation_id=party, key="k", body=b"a", subject_id=new_id())
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    async with database.session() as session:
        assert await claim(session, organisation_id=party, key="k", body=b"b", subject_id=second) == second
