"""Publishing for real: jail, store, rows, log; one at a time, and refused ones leave only their event."""

from __future__ import annotations

import asyncio
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from catalog.pii.gate import Override
from catalog.subjects import Subjects
from marketplace.accounts.callers import Owner
from marketplace.audit.facttree import SEED_BYTES, FactTree
from marketplace.audit.models import Event
from marketplace.audit.sealing import seal
from marketplace.config import Config
from marketplace.consents.actions import record_consent_event
from marketplace.consents.reads import excluded
from marketplace.consents.subjects import pseudonym
from marketplace.db.base import new_id, utcnow
from marketplace.errors import NotFound, Problem
from marketplace.listings.actions import release
from marketplace.listings.errors import (
    ListingDenied,
    ManifestWrong,
    ModeFixed,
    NotYourOrganisation,
    Overtaken,
    PopulationFixed,
    PublicationUnderWay,
    SlugDiffers,
    SlugTaken,
    VersionRefused,
)
from marketplace.listings.making import make_version
from marketplace.listings.models import Dataset, DatasetVersion, ExcludedCohort, LegalBasis, Lineage
from marketplace.listings.once import Released
from marketplace.listings.parsing import parse_manifest
from marketplace.listings.places import find_place
from marketplace.listings.press import Press
from marketplace.listings.publish import publish_version
from marketplace.offers.models import Offer
from policies.decision import Decision
from tests.marketplace.broken_audit import broken_audit
from tests.marketplace.listings.conftest import Shop
from tests.marketplace.parties import Make


async def _publish(press: Press, shop: Shop, text: str | None = None, *, persons: int = 400) -> Released:
    return await publish_version(
        press, manifest_text=text or shop.manifest(), source=shop.file(persons), by=shop.by, may_exist=True
    )


async def _refusals(press: Press, shop: Shop) -> list[str]:
    async with press.database.session() as session:
        rows = select(Event).where(Event.name == "dataset:refuse").order_by(Event.id)
        found = await session.scalars(rows.where(Event.actor_person_id == shop.owner.person.id))
        return [event.body["code"] for event in found]


async def test_a_version_is_released_listed_priced_and_logged(press: Press, shop: Shop) -> None:
    released = await _publish(press, shop)
    version = press.store.version(released.version_id)
    assert (released.slug, released.number, version.k, version.persons) == (shop.slug, 1, 5, 300)
    async with press.database.session() as session:
        dataset = await session.get_one(Dataset, released.dataset_id)
        assert dataset.current_version_id == released.version_id
        row = await session.get_one(DatasetVersion, released.version_id)
        assert (row.body["persons"], row.published_by) == (version.persons, shop.owner.person.id)
        basis = await session.get_one(LegalBasis, released.version_id)
        assert (basis.kind, basis.law) == ("consent", "personal-data-law-91-2025")
        offer = (await session.scalars(select(Offer).where(Offer.dataset_id == dataset.id))).one()
        assert (offer.name, offer.number, offer.made_by) == ("standard", 1, shop.owner.person.id)
        assert offer.terms == {"per_query_micro": 1_000 * 10**6, "per_gb_micro": 200_000 * 10**6}
        event = (await session.scalars(select(Event).where(Event.version_id == released.version_id))).one()
        assert (event.name, event.parties) == ("dataset:publish", [shop.owner.organisation.id])


async def test_the_next_version_replaces_it_and_a_new_price_is_a_new_offer(press: Press, shop: Shop) -> None:
    first = await _publish(press, shop)
    second = await _publish(press, shop)
    third = await _publish(press, shop, shop.manifest(base_vnd=2000))
    assert [first.number, second.number, third.number] == [1, 2, 3]
    assert press.store.version(third.version_id).parent == second.version_id
    async with press.database.session() as session:
        rows = select(Offer.number, Offer.terms["per_query_micro"].astext).where(
            Offer.dataset_id == first.dataset_id
        )
        assert (await session.execute(rows.order_by(Offer.number))).all() == [(1, "1000000000"), (2, "2000000000")]
        assert (await session.get_one(Dataset, first.dataset_id)).current_version_id == third.version_id


async def test_personal_data_stops_a_publication_until_a_person_says_why_and_the_log_keeps_it(
    press: Press, shop: Shop
) -> None:
    source = shop.file()
    head, *rows = source.read_text(encoding="utf-8").splitlines()
    notes = (
        f"Gọi lại số 09{13_000_000 + 7_919 * i:08d}" if i % 40 == 0 else f"lần {i % 5}" for i in range(len(rows))
    )
    source = source.with_name("notes.csv")
    source.write_text("\n".join([f"{head},ghi_chu", *map(",".join, zip(rows, notes, strict=True))]), "utf-8")
    text = shop.manifest() + "  - {name: ghi_chu, role: sensitive, meaning: {vi: Ghi chú, en: Note}}\n"
    with pytest.raises(VersionRefused) as refused:
        await publish_version(press, manifest_text=text, source=source, by=shop.by, may_exist=True)
    assert refused.value.code == "publication.personal_data"
    assert [f["finding"] for f in refused.value.params["findings"]] == ["phone"]
    answer = Override(columns=("ghi_chu",), finding="phone", reason="Số bịa trong dữ liệu thử")
    released = await publish_version(
        press, manifest_text=text, source=source, by=shop.by, may_exist=True, overrides=(answer,)
    )
    async with press.database.session() as session:
        rows_of = select(Event).where(Event.version_id == released.version_id, Event.name == "dataset:override")
        event = (await session.scalars(rows_of)).one()
    assert event.actor_person_id == shop.owner.person.id
    assert event.body is not None
    assert [(each["columns"], each["finding"], each["reason"]) for each in event.body["answers"]] == [
        (["ghi_chu"], "phone", "Số bịa trong dữ liệu thử")
    ]


async def test_two_publishers_at_once_the_second_is_told_so(press: Press, shop: Shop) -> None:
    done = await asyncio.gather(*(_publish(press, shop) for _ in range(2)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["PublicationUnderWay", "Released"]
    assert isinstance(next(each for each in done if isinstance(each, Problem)), PublicationUnderWay)
    assert (await _publish(press, shop)).number == 2, "the lock is given back"


async def test_a_lineage_has_one_mode_from_its_first_release(press: Press, shop: Shop) -> None:
    too_few = shop.manifest(mode="aggregate")
    with pytest.raises(VersionRefused):
        await _publish(press, shop, too_few, persons=3)
    await _publish(press, shop, shop.manifest(mode="rows"))
    with pytest.raises(ModeFixed):
        await _publish(press, shop, shop.manifest(mode="aggregate"))
    other = shop.manifest(mode="aggregate", slug=f"{shop.slug}_b", population=shop.slug)
    with pytest.raises(ModeFixed):
        await _publish(press, shop, other)
    async with press.database.session() as session:
        mode = await session.scalar(select(Lineage.mode).where(Lineage.population == shop.slug))
    assert mode == "rows"


async def test_a_dataset_stays_in_its_lineage(press: Press, shop: Shop) -> None:
    await _publish(press, shop)
    with pytest.raises(PopulationFixed):
        await _publish(press, shop, shop.manifest(population="another"))


async def test_datasets_of_one_lineage_know_what_each_other_has_shown(press: Press, shop: Shop) -> None:
    """Who is missing in the second dataset would be the difference of the two."""
    first = await _publish(press, shop)
    beside = shop.manifest(slug=f"{shop.slug}_b", population=shop.slug)
    second = await _publish(press, shop, beside, persons=399)
    assert press.store.version(second.version_id).parent == first.version_id
    (told,) = second.waiting
    assert (told.reason, told.cohorts) == ("left", 1)
    assert press.store.version(second.version_id).persons == 300 - 1 - told.persons
    third = await _publish(press, shop)
    assert press.store.version(third.version_id).parent == second.version_id
    assert press.store.version(third.version_id).persons == 300


ALLOWED = Decision(allow=True, reasons=(), policy_revision="r", engine="test", facts_hash="", valid_until=0)


async def test_a_release_in_the_lineage_meanwhile_overtakes(press: Press, shop: Shop) -> None:
    await _publish(press, shop)
    text = shop.manifest(slug=f"{shop.slug}_b", population=shop.slug)
    async with press.database.session() as session:
        place = await find_place(session, manifest=parse_manifest(text), by=shop.by, into=None, may_exist=True)
    made = await make_version(
        text, shop.file(), store=press.store, key=press.keys.lineage(place.lineage_id), config=press.config,
        previous=place.newest,
    )  # fmt: skip
    await _publish(press, shop)
    tree = FactTree(b"{}", None, bytes(SEED_BYTES))
    sealed = seal(press.keys, decision_id=new_id(), tree=tree, decision=ALLOWED)
    with pytest.raises(Overtaken):
        async with press.database.session() as session:
            await release(
                session, publication=made, sealed=sealed, place=place, register=None, store=press.store,
                by=shop.by, at=utcnow(),
            )  # fmt: skip


async def test_nobody_publishes_for_another_owner_or_over_a_name(press: Press, shop: Shop, make: Make) -> None:
    released = await _publish(press, shop)
    rival = Shop(owner=await make.party(press.database, kind="owner"), slug=shop.slug, folder=shop.folder)
    with pytest.raises(NotYourOrganisation):
        await _publish(press, rival, shop.manifest())
    with pytest.raises(SlugTaken):
        await _publish(press, rival)
    with pytest.raises(NotFound):
        await publish_version(press, manifest_text=rival.manifest(), source=shop.file(), by=rival.by,
                              into=released.dataset_id)  # fmt: skip
    other = shop.manifest(slug="other_name")
    with pytest.raises(SlugDiffers):
        await publish_version(press, manifest_text=other, source=shop.file(), by=shop.by, into=released.dataset_id)
    assert await _refusals(press, rival) == ["listing.not_your_organisation", "listing.slug_taken", "not_found"]


async def test_a_wrong_manifest_gets_every_error_and_is_logged(press: Press, shop: Shop) -> None:
    text = shop.manifest().replace("k: 5", "k: 1").replace("licence: CC0-1.0\n", "")
    with pytest.raises(ManifestWrong) as refused:
        await _publish(press, shop, text)
    codes = {e["code"] for e in refused.value.params["errors"]}
    assert codes == {"manifest.missing_key", "manifest.out_of_range"}
    assert await _refusals(press, shop) == ["listing.manifest_wrong"]


@pytest.mark.parametrize(
    ("was", "becomes", "code"),
    [
        ("k: 5", "k: 4", "anonymity.k_asked"),
        ("law: personal-data-law-91-2025", "law: hearsay", "basis.law_unknown"),
        ("themes: [giao thông]", "themes: [Bí mật Nhà nước]", "trade.secret"),
        ("purposes: [research.academic, public.service]", "purposes: [research.academic, research]",
         "purposes.group_by_consent"),
    ],
)  # fmt: skip
async def test_what_may_not_be_listed_is_denied_before_anything_is_made(
    press: Press, shop: Shop, was: str, becomes: str, code: str
) -> None:
    text = shop.manifest()
    assert was in text
    before = set((press.store.root / "versions").iterdir())
    with pytest.raises(ListingDenied) as denied:
        await _publish(press, shop, text.replace(was, becomes))
    assert [reason.code for reason in denied.value.reasons] == [code]
    assert set((press.store.root / "versions").iterdir()) == before
    assert await _refusals(press, shop) == ["listing.denied"]


async def test_a_version_has_a_class_and_a_rise_alarms_the_owner(press: Press, shop: Shop) -> None:
    first = await _publish(press, shop)
    assert (first.state_class, first.personal_class, first.warnings) == ("internal", "basic", ())
    raised = shop.manifest().replace("type: integer, personal: basic", "type: integer, personal: sensitive")
    second = await _publish(press, shop, raised)
    assert [(reason.code, reason.params) for reason in second.warnings] == [
        ("class.more_personal", {"from": "basic", "to": "sensitive"})
    ]
    async with press.database.session() as session:
        row = await session.get_one(DatasetVersion, second.version_id)
        assert (row.state_class, row.personal_class) == ("internal", "sensitive")
        named = select(Event).where(Event.version_id == second.version_id, Event.name == "dataset:alarm")
        (event,) = await session.scalars(named)
        assert event.body["reasons"][0]["code"] == "class.more_personal"
    assert (await _publish(press, shop, raised)).warnings == ()


async def test_a_file_that_cannot_be_made_anonymous_is_refused_and_logged(press: Press, shop: Shop) -> None:
    with pytest.raises(VersionRefused) as refused:
        await _publish(press, shop, persons=3)
    assert await _refusals(press, shop) == [refused.value.code]
    async with press.database.session() as session:
        assert await session.scalar(select(Dataset.id).where(Dataset.slug == shop.slug)) is None


async def test_without_its_event_nothing_is_released(config: Config, press: Press, shop: Shop) -> None:
    first = await _publish(press, shop)
    with broken_audit(config, shop.owner.organisation.id), pytest.raises(DBAPIError, match="broken for a test"):
        await _publish(press, shop)
    async with press.database.session() as session:
        dataset = await session.get_one(Dataset, first.dataset_id)
        assert dataset.current_version_id == first.version_id
        rows = select(DatasetVersion.number).where(DatasetVersion.dataset_id == first.dataset_id)
        assert (await session.scalars(rows)).all() == [1]


async def _withdraw(press: Press, shop: Shop, dataset_id: UUID, subject: str) -> None:
    by = Make().caller_of(shop.owner.organisation, shop.owner.person, Owner)
    assert isinstance(by, Owner)
    async with press.database.session() as session:
        await record_consent_event(
            session, consent_id=new_id(), by=by, dataset_id=dataset_id, subject=subject, event="withdrawn",
            purpose="research.academic", at=utcnow(), store=press.store, keys=press.keys,
        )  # fmt: skip


def _members(press: Press, version_id: str, cohorts: set[int]) -> set[bytes]:
    """Pseudonyms of everybody in those of these cohorts that consent to research."""
    names, of = Subjects(press.store.private(version_id) / "subjects.bin").all()
    first_part = np.load(press.store.private(version_id) / "cohorts.npy")[:, 0]
    parts = press.store.version(version_id).parts
    shown = [c for c in cohorts if "research.academic" in (parts[int(first_part[c])].consented or ())]
    return {row.tobytes() for row in names[np.isin(of, shown)]}


async def _shown(press: Press, dataset_id: UUID) -> set[bytes]:
    """Everybody whom the newest version shows for research."""
    async with press.database.session() as session:
        dataset = await session.get_one(Dataset, dataset_id)
        version_id = dataset.current_version_id
        assert version_id is not None
        gone, _ = await excluded(session, version_id, "research.academic")
    return _members(press, version_id, set(range(press.store.version(version_id).cohorts)) - gone)


async def test_who_withdrew_stays_out_of_the_next_version_with_the_whole_cohort(press: Press, shop: Shop) -> None:
    """The file still says yes. Were the others of the cohort to come back, they would be fewer than k."""
    first = await _publish(press, shop)
    whole = await _shown(press, first.dataset_id)
    await _withdraw(press, shop, first.dataset_id, "P00001")
    before = await _shown(press, first.dataset_id)
    assert 5 <= len(whole - before) <= 9
    await _publish(press, shop)
    assert await _shown(press, first.dataset_id) == before
    await _publish(press, shop)
    assert await _shown(press, first.dataset_id) == before, "and of the one after that"


async def test_a_withdrawal_while_a_version_is_made_holds_in_it(press: Press, shop: Shop) -> None:
    first = await _publish(press, shop)

    async def meanwhile() -> None:
        await asyncio.sleep(0.5)
        await _withdraw(press, shop, first.dataset_id, "P00002")

    second, _ = await asyncio.gather(_publish(press, shop), meanwhile())
    async with press.database.session() as session:
        dataset = await session.get_one(Dataset, first.dataset_id)
        assert dataset.current_version_id == second.version_id
        gone, _ = await excluded(session, first.version_id, "research.academic")
    withdrew = pseudonym(press.keys.lineage(dataset.lineage_id), "P00002")
    shown = await _shown(press, first.dataset_id)
    assert withdrew not in shown
    assert not shown & _members(press, first.version_id, set(gone))


async def test_a_withdrawal_waits_for_a_release_and_then_sees_it(press: Press, shop: Shop) -> None:
    """A release holds the dataset's row; a withdrawal that read the old version would bite nowhere."""
    first = await _publish(press, shop)
    async with press.database.session() as session:
        row = await session.get_one(Dataset, first.dataset_id, with_for_update=True)
        waiting = asyncio.create_task(_withdraw(press, shop, first.dataset_id, "P00001"))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        row.current_version_id = None
    await waiting
    async with press.database.session() as session:
        rows = select(ExcludedCohort).where(ExcludedCohort.version_id == first.version_id)
        assert not (await session.scalars(rows)).all(), "it acted on what was current when the lock came free"
