"""The pages of publications: who sees them, a manifest that is wrong, a review by two people."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy import update

from catalog.pipeline.record import Finding, StageRecord
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.listings.models import Dataset
from marketplace.publications.models import PublicationRow, PublicationStage, VersionWithdrawal
from marketplace.publications.tasks import CHECKLISTS, due
from marketplace.web.words import say
from tests.browser.conftest import Visit
from tests.browser.outline import faults
from tests.marketplace.agreements.conftest import Sides, open_sides


async def _waiting(database: Database, sides: Sides) -> UUID:
    """One that waits for its steward's check."""
    at = utcnow()
    row = PublicationRow(
        id=new_id(), organisation_id=sides.owner.organisation.id, slug=f"d_{new_id().hex}",
        manifest="slug: <b>x</b>",
        source_name="<script>.csv", source_bytes=1, source_sha256="00" * 32, state="checking", overrides=[],
        sent_by=sides.owner.person.id, via="page", sent_at=at, has_files=False, changed_at=at,
        due_at=due("checking", at), state_class="internal", personal_class="basic",
    )  # fmt: skip
    async with database.session() as session:
        session.add(row)
    return row.id


async def test_a_publication_is_reviewed_on_its_page(visit: Visit, sides: Sides, database: Database) -> None:
    publication = await _waiting(database, sides)
    address = f"/publications/{publication}"
    async with visit(sides.owner) as owner, visit(sides.rival_owner) as rival, visit(sides.startup) as startup:
        assert (await rival.get(address)).status_code == 404
        assert (await startup.get(address)).status_code == 404
        page = (await owner.get(address)).text
        assert faults(page) == []
        assert "<script>.csv" not in page
        assert address in (await owner.get("/publications")).text
        missing = await owner.send(f"{address}/steps", {"verb": "submit", "checklist": "basis_holds"})
        assert missing.status_code == 400
        fields = {"verb": "submit", "checklist": list(CHECKLISTS["checking"])}
        assert (await owner.send(f"{address}/steps", fields)).status_code == 303
        fields = {"verb": "approve", "checklist": list(CHECKLISTS["approving"])}
        own = await owner.send(f"{address}/steps", fields)
        assert own.status_code == 403
        assert faults(own.text) == []
        async with database.session() as session:
            row = update(PublicationRow).where(PublicationRow.id == publication)
            await session.execute(row.values(state="cancelled"))


async def test_a_wrong_manifest_comes_back_with_places(visit: Visit, sides: Sides) -> None:
    async with visit(sides.owner) as owner, visit(sides.startup) as startup:
        assert (await startup.get("/publications")).status_code == 403
        files = {"file": ("a.csv", b"a\n1\n")}
        answer = await owner.send("/publications", {"manifest": "slug: x", "key": "k"}, files=files)
        assert answer.status_code == 422
        assert faults(answer.text) == []
        assert "slug: x" in answer.text


async def test_an_agreement_tells_that_its_version_was_taken_back(visit: Visit, database: Database) -> None:
    sides = await open_sides(database)  # nobody else's, for it is not put back
    agreement = await sides.agreement(database)
    async with visit(sides.startup) as startup:
        address = f"/agreements/{agreement}"
        assert "<i>thu hồi</i>" not in (await startup.get(address)).text
        async with database.session() as session:
            dataset = await session.get_one(Dataset, sides.dataset_id)
            version_id, dataset.current_version_id = dataset.current_version_id, None
            assert version_id is not None
            session.add(
                VersionWithdrawal(
                    version_id=version_id,
                    dataset_id=dataset.id,
                    reason="privacy",
                    note="<i>thu hồi</i>",
                    bars_answers=True,
                    withdrawn_by=sides.owner.person.id,
                    withdrawn_at=utcnow(),
                )
            )
        page = (await startup.get(address)).text
        assert faults(page) == []
        assert "&lt;i&gt;thu hồi&lt;/i&gt;" in page
        assert say("agreement.taken_back_barred", "vi") in page


async def test_what_has_to_be_mended_is_no_guess_to_answer_for(
    visit: Visit, sides: Sides, database: Database
) -> None:
    publication = await _waiting(database, sides)
    fault = Finding(code="ingest.total_row", severity="stop", params={"lines": "3004"})
    stage = StageRecord(stage="ingest", state="stopped", findings=(fault,))
    async with database.session() as session:
        row = update(PublicationRow).where(PublicationRow.id == publication)
        await session.execute(row.values(state="stopped", due_at=None))
        session.add(
            PublicationStage(
                publication_id=publication, stage="ingest", body=msgspec.to_builtins(stage), attempts=1,
                began_at=utcnow(), ended_at=utcnow(),
            )
        )  # fmt: skip
    async with visit(sides.owner) as owner:
        page = (await owner.get(f"/publications/{publication}")).text
        asked_again = await owner.get(f"/publications/{publication}", **{"HX-Request": "true"})
        assert asked_again.headers["HX-Refresh"] == "true"
        assert faults(page) == []
        assert 'value="override"' not in page
        assert page.count("3004") == 2
        again = await owner.send("/publications/chosen", {"manifest": "slug: again"})
        assert "slug: again" in again.text
    async with database.session() as session:
        await session.execute(row.values(state="cancelled"))
