"""Watches and demands as pages: whose they are, a second press, what is told to whom."""

from __future__ import annotations

import re
import secrets

from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.finding.demand import OPEN
from marketplace.finding.telling import tell_changes
from marketplace.listings.models import Dataset
from tests.browser.conftest import Visit, Visitor
from tests.browser.outline import faults
from tests.browser.test_pages import slug_of
from tests.marketplace.agreements.conftest import Sides
from tests.marketplace.parties import Make

REASON = "Để tính giờ chờ <b>ở bến</b>."


async def _page(visitor: Visitor, path: str) -> str:
    page = (await visitor.get(path)).text
    assert faults(page) == [], path
    return page


async def test_a_dataset_and_a_search_are_watched_told_and_let_go(
    visit: Visit, sides: Sides, database: Database, make: Make
) -> None:
    slug, startup = await slug_of(database, sides), await make.party(database, kind="startup")
    async with visit() as visitor:
        assert 'action="/watches"' not in (await visitor.get(f"/datasets/{slug}")).text
        assert (await visitor.http.post("/watches", data={"dataset": slug})).status_code in (401, 403)
    async with visit(startup) as visitor:
        assert 'action="/watches"' in await _page(visitor, f"/datasets/{slug}")
        assert (await visitor.send("/watches", {"dataset": slug}, csrf="x")).status_code == 403
        assert (await visitor.send("/watches", {"dataset": "khong_co"})).status_code == 404
        for _ in range(2):  # a second press of the same button
            sent = await visitor.send("/watches", {"dataset": slug})
            assert (sent.status_code, sent.headers["location"]) == (303, f"/datasets/{slug}?done=watched")
        assert "/remove" in await _page(visitor, f"/datasets/{slug}")
        found = await _page(visitor, "/?q=tàu <b>&price=free")
        fields = dict(re.findall(r'name="(q|price)" value="([^"]*)"', found.split('action="/watches"')[1]))
        assert fields == {"q": "tàu &lt;b&gt;", "price": "free"}
        assert (await visitor.send("/watches", {"q": "tàu <b>", "price": "free"})).status_code == 303
        assert (await visitor.send("/watches", {"q": "x" * 201})).status_code == 400
        page = await _page(visitor, "/watches")
        assert (page.count("/remove"), "tàu &lt;b&gt;" in page, "price=free" in page) == (2, True, True)
    async with database.session() as session:
        dataset = await session.get_one(Dataset, sides.dataset_id)
        version, dataset.current_version_id = dataset.current_version_id, None
    await tell_changes(database, at=utcnow())
    async with database.session() as session:
        (await session.get_one(Dataset, sides.dataset_id)).current_version_id = version
    async with visit(startup) as visitor:
        page = await _page(visitor, "/watches")
        assert ("Không còn được niêm yết" in page, "1 chưa đọc" in page) == (True, True)
        assert (await visitor.send("/watches/read", {})).status_code == 303
        assert "chưa đọc" not in await _page(visitor, "/watches")
    ends = re.findall(r'action="(/watches/[^"]+/remove)"', page)
    async with visit(sides.rival) as visitor:
        assert (await visitor.send(ends[0], {})).status_code == 404
    async with visit(startup) as visitor:
        assert [(await visitor.send(end, {})).status_code for end in ends] == [303, 303]
        assert "Bạn chưa theo dõi gì" in await _page(visitor, "/watches")


async def test_a_dataset_is_asked_for_once_voted_for_and_closed(
    visit: Visit, database: Database, make: Make
) -> None:
    kinds = ("startup", "startup", "owner", "operator")
    first, second, owner, operator = [await make.party(database, kind=kind) for kind in kinds]
    title = f"Nhật ký xe buýt {secrets.token_hex(4)}"
    async with visit(first) as visitor:
        key = re.search(r'name="key" value="([^"]+)"', await _page(visitor, "/demands"))
        assert key
        fields = {"title": title, "reason": REASON, "key": key[1]}
        wrong = await visitor.send("/demands", fields | {"reason": "ngắn"})
        assert (wrong.status_code, f'value="{title}"' in wrong.text) == (400, True)
        for _ in range(2):  # a second press of the same button
            assert (await visitor.send("/demands", fields)).status_code == 303
        assert (await visitor.send("/demands", fields | {"title": "Khác hẳn"})).status_code == 409
        page = await _page(visitor, "/demands")
        assert (page.count(title), "&lt;b&gt;ở bến" in page) == (2, True), "the heading, and the button's name"
    (close,) = re.findall(r"/demands/[0-9a-f-]+/close", page)
    vote = close.replace("close", "vote")
    async with visit(owner) as visitor:
        page = await _page(visitor, "/demands")
        assert (title in page, vote in page, first.organisation.name in page) == (True, False, False)
        assert (await visitor.send(vote, {})).status_code == 403
        assert (await visitor.send(close, {})).status_code == 404
    async with visit(second) as visitor:
        assert vote in await _page(visitor, "/demands")
        for _ in range(2):
            assert (await visitor.send(vote, {})).status_code == 303
        card = (await visitor.get("/demands")).text.split(title)[1]
        assert "Phiếu: 2" in card.split("</li>")[0]
    async with visit(operator) as visitor:
        assert first.organisation.name in await _page(visitor, "/demands")
        assert (await visitor.send(close, {})).status_code == 303
    async with visit(second) as visitor:
        late = await visitor.send(vote, {})
        assert (late.status_code, "Yêu cầu này đã đóng" in late.text) == (409, True)
    async with visit(first) as visitor:
        asked = [fields | {"key": str(new_id()), "title": f"{title} {n}"} for n in range(OPEN + 1)]
        statuses = [(await visitor.send("/demands", each)).status_code for each in asked]
        assert statuses == [303] * OPEN + [409]
