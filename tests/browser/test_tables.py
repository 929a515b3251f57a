"""A startup's own tables on their page: seen, sent, refused with the form again, removed."""

from __future__ import annotations

import re

from marketplace.accounts.seats import Seats
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.own.errors import TooManyUploads
from tests.browser.conftest import Visit, page_app, visiting
from tests.marketplace.agreements.conftest import Sides

CODES = "ma,ten\n01,mot\n02,hai\n"


async def test_a_table_is_sent_once_listed_to_its_organisation_alone_and_removed(
    visit: Visit, sides: Sides, database: Database, config: Config
) -> None:
    app = page_app(database, config, table_uploads=Seats(2, TooManyUploads))
    async with visiting(app, database, sides.startup) as visitor:
        key = re.search(r'name="key" value="([^"]+)"', (await visitor.get("/tables")).text)
        assert key
        fields = {"name": "ma_nghe", "key": key[1]}
        for _ in range(2):
            sent = await visitor.send("/tables", fields, files={"file": ("t.csv", CODES.encode())})
            assert (sent.status_code, sent.headers["location"]) == (303, "/tables?done=table_added"), sent.text
        page = (await visitor.get("/tables?done=table_added")).text
        assert page.count("ma_nghe") == 2  # its row, and what its button says
        assert "ma VARCHAR" in page
        again = await visitor.send("/tables", {**fields, "key": ""}, files={"file": ("t.csv", b"a\n1\n")})
        assert again.status_code == 409
        assert 'value="ma_nghe"' in again.text
        path = re.search(r'action="(/tables/[^"]+/remove)"', page)
        assert path
        async with visit(sides.rival) as other:
            assert "ma_nghe" not in (await other.get("/tables")).text
            assert (await other.send(path[1], {})).status_code == 404
        assert (await visitor.send(path[1], {}, csrf="wrong")).status_code == 403
        gone = await visitor.send(path[1], {})
        assert (gone.status_code, gone.headers["location"]) == (303, "/tables?done=table_removed")
        assert "ma_nghe" not in (await visitor.get("/tables")).text


async def test_an_owner_has_no_tables_page_and_nobody_sends_without_a_file(
    sides: Sides, database: Database, config: Config
) -> None:
    app = page_app(database, config, table_uploads=Seats(2, TooManyUploads))
    async with visiting(app, database, sides.owner) as visitor:
        assert (await visitor.send("/tables", {"name": "x"})).status_code == 403
    async with visiting(app, database, sides.startup) as visitor:
        refused = await visitor.send("/tables", {"name": "ma_nghe"})
        assert refused.status_code == 400
        assert "ma_nghe" in refused.text
