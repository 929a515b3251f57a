"""The pages of a linkage: the partner's approver reads the terms, says yes or no, and either ends it."""

from __future__ import annotations

import secrets

from marketplace.accounts.callers import Steward
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.linkages.actions import propose
from tests.browser.conftest import Visit
from tests.browser.outline import faults
from tests.marketplace.agreements.conftest import Sides
from tests.marketplace.parties import Make


async def proposed(database: Database, sides: Sides) -> str:
    """By the owner to the rival owner; the page's address."""
    by = Make().caller_of(sides.owner.organisation, sides.owner.person, Steward)
    assert isinstance(by, Steward)
    async with database.session() as session:
        linkage = await propose(
            session, partner=sides.rival_owner.organisation.slug, population=f"p-{secrets.token_hex(6)}",
            purposes=["product.rnd"], lead_basis_points=2_500, by=by, at=utcnow(),
        )  # fmt: skip
        return f"/linkages/{linkage.id}"


async def test_a_linkage_is_read_approved_and_ended(visit: Visit, sides: Sides, database: Database) -> None:
    address = await proposed(database, sides)
    async with visit(sides.owner) as lead, visit(sides.rival_owner) as partner, visit(sides.startup) as startup:
        assert (await startup.get(address)).status_code == 403
        page = (await lead.get(address)).text
        assert "25% cho bên chủ trì" in page
        assert f'action="{address}/decision"' not in page
        assert address in (await partner.get("/linkages")).text
        page = (await partner.get(address)).text
        assert faults(page) == []
        assert f'action="{address}/decision"' in page
        refused = await partner.send(f"{address}/decision", {"decision": "refuse", "reason": ""})
        assert refused.status_code == 400
        approved = await partner.send(f"{address}/decision", {"decision": "approve", "reason": ""})
        assert approved.status_code == 303
        assert "Đã duyệt" in (await lead.get(address)).text
        assert (await lead.send(f"{address}/end", {"reason": "Không cần nữa"})).status_code == 303
        assert "Đã kết thúc" in (await partner.get(address)).text


async def test_an_owner_without_part_in_it_finds_nothing(visit: Visit, sides: Sides, database: Database) -> None:
    address = await proposed(database, sides)
    stranger = await Make().party(database, kind="owner")
    async with visit(stranger) as visitor:
        assert (await visitor.get(address)).status_code == 404
        assert (await visitor.send(f"{address}/end", {"reason": "không phải của tôi"})).status_code == 404
