"""The page of a dataset's quality: scores for everybody, counts for its owner, late is said aloud."""

from __future__ import annotations

from datetime import timedelta

from catalog.quality.drift import ColumnDrift
from catalog.quality.wire import Bin, ColumnProfile, Profile
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.listings.models import Dataset, DatasetVersion
from marketplace.quality.actions import keep_released_check, keep_source_check
from tests.browser.conftest import Visit
from tests.browser.outline import faults
from tests.browser.test_pages import slug_of
from tests.marketplace.agreements.conftest import Sides
from tests.marketplace.quality.test_promises import found

COUNTED = Profile(
    persons=1000,
    columns=(
        ColumnProfile(
            name="sex", bins=(Bin("<i>Nữ</i>", 517), Bin("Nam", 440), Bin("", 33), Bin(None, 10), Bin("x", 9))
        ),
    ),
)


async def test_everybody_reads_scores_and_the_clock_and_the_owner_counts(
    visit: Visit, sides: Sides, database: Database
) -> None:
    slug = await slug_of(database, sides)
    path = f"/datasets/{slug}/quality"
    async with visit() as visitor:
        empty = (await visitor.get(path)).text
        assert faults(empty) == []
        assert "Chưa có lần kiểm tra nào." in empty
        assert (await visitor.get("/datasets/no_such_thing/quality")).status_code == 404
    async with database.session() as session:
        dataset = await session.get_one(Dataset, sides.dataset_id)
        dataset.update_frequency = "daily"
        assert dataset.current_version_id is not None
        version = await session.get_one(DatasetVersion, dataset.current_version_id)
        version.created_at = utcnow() - timedelta(days=2)
        whose = {"dataset_id": dataset.id, "version_id": version.id, "owners": (dataset.owner_id,)}
        report = found(accurate=949, complete=1000, clean=None)
        await keep_source_check(session, **whose, found=report, at=utcnow())  # type: ignore[arg-type]
        moved = (ColumnDrift(name="sex", psi_micro=312_345, state="large"),)
        await keep_released_check(
            session,
            **whose,  # type: ignore[arg-type]
            scores=report.scores[1:2],
            profile=COUNTED,
            drift=moved,
            at=utcnow(),
        )
    async with visit() as visitor:
        seen = (await visitor.get(path)).text
        assert faults(seen) == []
        for words in ("Quá hạn", "90%", "100%", "0,312", "Phép đếm của sàn", "lớn"):
            assert words in seen
        assert "Đã xét" not in seen
        page = (await visitor.get(f"/datasets/{slug}")).text
        assert faults(page) == []
        plots = page.split('id="figures"')[1].split("</section>")[0]
        for words in (
            "&lt;i&gt;Nữ&lt;/i&gt;",
            "50–55%",
            "40–45%",
            "Phần còn lại",
            "Không có giá trị",
            "nấc 5%",
        ):
            assert words in plots
        assert "517" not in plots
        panel = page.split('id="quality"')[1].split("</section>")[0]
        assert panel.index("Đúng") < panel.index("Đủ"), "the axes stand as they are always told"
        for words in ("90%", "100%", "Quá hạn", f'href="{path}"'):
            assert words in panel
    async with visit(sides.rival_owner) as visitor:
        assert "Đã xét" not in (await visitor.get(path)).text
    async with visit(sides.owner) as visitor:
        own = (await visitor.get(path)).text
        assert faults(own) == []
        assert "expect_column_values_to_not_be_null" in own
        assert "sex có giá trị" in own, "what was expected, as a sentence"
        assert "0 kỳ vọng đạt, 1 không đạt, 0 không xét được." in own
        assert "20%" in own, "the share that is not as expected"
        assert f"?version={version.id}#verdicts" in own, "each version's verdicts are kept"
        assert "Đã xét" in own
    async with database.session() as session:
        (await session.get_one(Dataset, sides.dataset_id)).update_frequency = "never"
    await _after_the_last_withdrawal(visit, sides, database, path)


async def _after_the_last_withdrawal(visit: Visit, sides: Sides, database: Database, path: str) -> None:
    """What was found is kept, and read by the owner alone."""
    async with database.session() as session:
        dataset = await session.get_one(Dataset, sides.dataset_id)
        version_id, dataset.current_version_id = dataset.current_version_id, None
    try:
        async with visit(sides.owner) as visitor:
            kept = await visitor.get(path)
            assert kept.status_code == 200
            assert faults(kept.text) == []
            assert "expect_column_values_to_not_be_null" in kept.text
            assert 'class="crumb"><a href="/publications"' in kept.text, "its own page is gone"
        for other in (None, sides.rival_owner, sides.startup):
            async with visit(other) as visitor:
                assert (await visitor.get(path)).status_code == 404
    finally:
        async with database.session() as session:
            (await session.get_one(Dataset, sides.dataset_id)).current_version_id = version_id
