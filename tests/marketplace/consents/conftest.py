"""A listed version with real subjects: who stands in which cohort is on disk as publication writes it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import msgspec
import numpy as np
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.storage import Store
from catalog.subjects import sort_order, write_subjects
from marketplace.accounts.callers import Owner
from marketplace.consents.reads import read_consents
from marketplace.consents.subjects import pseudonym
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.listings.models import Dataset, DatasetVersion, Lineage
from tests.marketplace.listed import version
from tests.marketplace.parties import Make, Party

PURPOSES = ["research.academic", "product.rnd"]
PEOPLE = [f"79{n:010}" for n in range(20)]
"""Subject keys; person n stands in cohort n // 10."""


@dataclass
class Listed:
    """A dataset with one version of 20 persons in two cohorts."""

    owner: Party
    dataset_id: UUID
    lineage_id: UUID
    version_id: str
    store: Store
    keys: Keys

    @property
    def by(self) -> Owner:
        caller = self.owner.caller
        return Owner(**{name: getattr(caller, name) for name in caller.__struct_fields__})

    def pseudonym(self, subject: str) -> bytes:
        return pseudonym(self.keys.lineage(self.lineage_id), subject)

    async def standing(self, session: AsyncSession) -> set[tuple[bytes, int, int]]:
        """Of each person in the register, in its order: pseudonym, bits of PURPOSES given, bits withdrawn."""
        said = await read_consents(session, self.dataset_id, PURPOSES)
        names = [bytes(each) for each in said.subjects]
        assert names == sorted(set(names))
        return set(zip(names, said.given.tolist(), said.withdrawn.tolist(), strict=True))

    async def release(self, session: AsyncSession, people: Sequence[str]) -> str:
        """Another version of these people, shown as the newest."""
        released = msgspec.structs.replace(version("consents"), privacy_unit="column")
        self.version_id = released.id
        names = np.frombuffer(b"".join(self.pseudonym(each) for each in people), dtype=np.uint8).reshape(-1, 16)
        folder = self.store.private(self.version_id)
        folder.mkdir(parents=True)
        write_subjects(folder / "subjects.bin", names, sort_order(names), np.arange(len(people)) // 10)
        number = int(self.version_id[:6], 16)
        session.add(
            DatasetVersion(
                id=self.version_id, dataset_id=self.dataset_id, number=number, body=msgspec.to_builtins(released),
                sample=[],
                published_by=self.owner.person.id,
            )
        )  # fmt: skip
        dataset = await session.get_one(Dataset, self.dataset_id)
        dataset.current_version_id = self.version_id
        await session.flush()
        return self.version_id


@pytest.fixture
async def listed(database: Database, make: Make, tmp_path: Path) -> Listed:
    owner = await make.party(database, kind="owner")
    lineage = Lineage(
        id=new_id(), owner_id=owner.organisation.id, population=f"p-{secrets.token_hex(4)}", mode="rows"
    )
    dataset = Dataset(
        id=new_id(), slug=f"d_{secrets.token_hex(6)}", owner_id=owner.organisation.id, lineage_id=lineage.id,
        title_vi="t", title_en="t", description_vi="d", description_en="d", licence="l", themes=[], spatial="s",
        temporal="t", update_frequency="once",
        manifest={"privacy_unit": "column", "purposes": PURPOSES},
    )  # fmt: skip
    found = Listed(owner, dataset.id, lineage.id, "", Store(tmp_path / "store"), Keys(tmp_path / "keys"))
    async with database.session() as session:
        session.add(lineage)
        await session.flush()
        session.add(dataset)
        await session.flush()
        await found.release(session, PEOPLE)
    return found
