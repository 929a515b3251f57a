"""A joint dataset comes of two yeses to two parts, each used once; neither owner makes or changes it alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from catalog.joint.sealed import SealBroken, unseal_file
from marketplace.audit.models import Event
from marketplace.consents.reads import excluded
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.linkages.api import handlers
from marketplace.linkages.models import Contribution, Linkage
from marketplace.listings.models import Dataset, DatasetVersion
from marketplace.listings.press import Press
from policies.module import BUILT
from policies.sources import FOLDER, revision_of
from policies.wasm import WasmEngine
from tests.conftest import ClientFor
from tests.marketplace.linkages.conftest import Pair


async def events_of(database: Database, linkage: str) -> list[Event]:
    async with database.session() as session:
        found = select(Event).where(Event.body["linkage"].astext == linkage).order_by(Event.id)
        return list(await session.scalars(found))


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def test_two_parts_to_which_both_agree_become_a_dataset_of_both(
    pair: Pair, press: Press, database: Database
) -> None:
    linkage, answer = await pair.released()
    assert answer["joined"] == {"at_least": 100, "below": 200}
    version = press.store.version(answer["released"]["version_id"])
    assert version.persons == 100
    async with database.session() as session:
        dataset = await session.get_one(Dataset, UUID(answer["released"]["dataset_id"]))
        assert (dataset.owner_id, dataset.partner_id) == (pair.clinic.organisation.id, pair.bank.organisation.id)
        row = await session.get_one(DatasetVersion, version.id)
        assert (row.sample, row.waiting) == ([], [])
    told = [event.name for event in await events_of(database, linkage)]
    assert told == [
        "linkage:propose", "linkage:approve", "linkage:contribute", "linkage:contribute", "linkage:agree",
        "linkage:agree", "linkage:publish",
    ]  # fmt: skip
    both = sorted([pair.clinic.organisation.id, pair.bank.organisation.id])
    assert all(sorted(event.parties) == both for event in await events_of(database, linkage))
    page = (await pair.client.get(f"/api/v1/datasets/{pair.slug}")).json()
    names = f"{pair.clinic.organisation.name} + {pair.bank.organisation.name}"
    assert page["owner_name"] == page["six_clear"]["responsibility"] == names
    assert page["sample"]["rows"] == []
    async with database.session() as session:
        published = await session.scalar(select(Event).where(Event.version_id == version.id))
        assert published is not None
        assert (published.name, sorted(published.parties)) == ("dataset:publish", both)


async def test_parts_are_gone_once_they_are_joined(pair: Pair, press: Press, database: Database) -> None:
    linkage, _ = await pair.released()
    assert (await pair.read(linkage, pair.bank))["contributions"] == []
    async with database.session() as session:
        sent = list(await session.scalars(select(Contribution).where(Contribution.linkage_id == UUID(linkage))))
    assert len(sent) == 2
    for each in sent:
        assert each.erased_at is not None
        assert not (press.store.root / "contributions" / str(each.id)).exists()
        assert not (press.config.path("keys") / f"contribution-{each.id}").exists()


async def test_the_other_owner_sees_what_a_part_is_and_nothing_that_is_in_it(
    pair: Pair, press: Press, database: Database, tmp_path: Any
) -> None:
    linkage = await pair.approved()
    await pair.send(linkage, pair.clinic, range(150))
    seen = (await pair.read(linkage, pair.bank))["contributions"][0]
    own = (await pair.read(linkage, pair.clinic))["contributions"][0]
    assert (seen["persons"], own["persons"]) == (None, 150)
    assert [c["name"] for c in seen["columns"]] == ["place", "illness", "visits"]
    refused = await pair.client.get(f"/api/v1/linkages/{linkage}", token=pair.rival.token)
    assert refused.status_code == 404
    place = press.store.root / "contributions" / seen["id"]
    async with database.session() as session:
        lineage = (await session.get_one(Linkage, UUID(linkage))).lineage_id
    assert lineage is not None
    for number, file in enumerate(place.iterdir()):
        assert file.stat().st_mode & 0o777 == 0o600
        with pytest.raises(SealBroken):
            unseal_file(press.keys.lineage(lineage), file, tmp_path / f"{number}")


async def test_one_owner_alone_publishes_nothing(pair: Pair, database: Database) -> None:
    linkage = await pair.approved()
    await pair.send(linkage, pair.clinic, range(150))
    nothing = {"contribution": linkage}
    path = f"/api/v1/linkages/{linkage}/publication"
    alone = await pair.client.post(path, token=pair.clinic.token, json=nothing)
    assert code(alone) == (409, "linkage.other_contribution")
    assert code(await pair.client.post(path, token=pair.bank.token, json=nothing)) == (409, "linkage.nothing_sent")
    await pair.send(linkage, pair.bank, range(50, 200))
    for _ in range(2):
        assert (await pair.agree(linkage, pair.clinic)).json()["released"] is None
    async with database.session() as session:
        assert await session.scalar(select(Dataset).where(Dataset.slug == pair.slug)) is None


async def test_a_yes_is_to_the_part_that_was_seen_and_to_no_later_one(pair: Pair) -> None:
    linkage = await pair.approved()
    await pair.send(linkage, pair.clinic, range(150))
    await pair.send(linkage, pair.bank, range(50, 200))
    seen = [each["id"] for each in (await pair.read(linkage, pair.clinic))["contributions"]]
    await pair.agree(linkage, pair.clinic)
    await pair.send(linkage, pair.bank, range(50, 201))
    assert (await pair.agree(linkage, pair.bank)).json()["released"] is None
    path = f"/api/v1/linkages/{linkage}/publication"
    for old in seen:
        late = await pair.client.post(path, token=pair.clinic.token, json={"contribution": old})
        assert code(late) == (409, "linkage.other_contribution")
    assert (await pair.agree(linkage, pair.clinic)).json()["released"]["number"] == 1


async def test_a_refused_join_uses_both_parts_up_and_tells_no_figure(pair: Pair, database: Database) -> None:
    linkage = await pair.approved()
    answer = await pair.join(linkage, range(54), range(50, 200))
    assert code(answer) == (422, "publication.joint_too_few")
    assert answer.json()["params"] == {"k": 5}
    assert (await pair.read(linkage, pair.clinic))["contributions"] == []
    async with database.session() as session:
        refused = await session.scalar(select(Event).where(Event.body["dataset"].astext == pair.slug))
    assert refused is not None
    assert (refused.name, len(refused.parties)) == ("dataset:refuse", 2)


async def test_parts_that_do_not_fit_together_stay_for_their_owners_to_mend(pair: Pair) -> None:
    linkage = await pair.approved()
    await pair.send(linkage, pair.clinic, range(150))
    await pair.send(linkage, pair.bank, range(50, 200), **{"base_vnd: 1000": "base_vnd: 1"})
    assert code(await pair.agree(linkage, pair.clinic)) == (422, "publication.joint_differs")
    assert len((await pair.read(linkage, pair.clinic))["contributions"]) == 2


async def test_the_next_version_needs_both_again_and_moves_by_k_or_not_at_all(pair: Pair, press: Press) -> None:
    linkage, first = await pair.released()
    second = (await pair.join(linkage, range(151), range(50, 200))).json()
    assert second["released"]["number"] == 2
    versions = [press.store.version(each["released"]["version_id"]) for each in (first, second)]
    assert versions[0].persons == versions[1].persons
    assert versions[1].parent == versions[0].id


class TestByTheOrdinaryWay:
    async def publish(self, pair: Pair, by: Any, path: str, **changed: str) -> Any:
        parts = {"manifest": ("m", pair.manifest(by, **changed)), "file": ("f", b"key\n1\n")}
        return await pair.client.post(path, token=by.token, files=parts)

    async def test_neither_owner_publishes_a_version_of_the_joint_dataset(self, pair: Pair) -> None:
        await pair.released()
        for side, expected in ((pair.clinic, (404, "not_found")), (pair.bank, (404, "not_found"))):
            versions = f"/api/v1/datasets/{pair.slug}/versions"
            assert code(await self.publish(pair, side, versions)) == expected
        again = await self.publish(pair, pair.clinic, "/api/v1/datasets")
        assert code(again) == (409, "listing.slug_taken")

    async def test_neither_owner_lists_the_same_persons_by_itself(self, pair: Pair) -> None:
        """The difference would be those who are in one file only, however few."""
        await pair.approved()
        for side in (pair.clinic, pair.bank):
            own = await self.publish(
                pair, side, "/api/v1/datasets", **{f"slug: {pair.slug}": f"slug: {pair.slug}_2"}
            )
            assert code(own) == (409, "listing.population_linked")


async def test_a_person_who_takes_consent_back_at_either_owner_is_out(pair: Pair, database: Database) -> None:
    _, answer = await pair.released()
    dataset_id = answer["released"]["dataset_id"]
    said: dict[str, Any] = {
        "dataset_id": dataset_id, "subject": "P00077", "purpose": "product.rnd", "event": "withdrawn",
        "at": utcnow().isoformat(),
    }  # fmt: skip
    path = "/api/v1/consents/events"
    assert (await pair.client.post(path, token=pair.bank.token, json=said)).status_code == 201
    other = said | {"subject": "P00078"}
    assert (await pair.client.post(path, token=pair.clinic.token, json=other)).status_code == 201
    assert code(await pair.client.post(path, token=pair.rival.token, json=said))[0] == 404
    async with database.session() as session:
        rows = await session.execute(
            select(DatasetVersion.id).where(DatasetVersion.dataset_id == UUID(dataset_id))
        )
        (version_id,) = rows.scalars()
    async with database.session() as session:
        gone, revision = await excluded(session, version_id, "product.rnd")
    assert revision == 2
    assert len(gone) in (1, 2)


async def test_no_owner_gives_consent_for_both(pair: Pair) -> None:
    _, made = await pair.released()
    said = {
        "dataset_id": made["released"]["dataset_id"], "subject": "P00077", "purpose": "product.rnd",
        "event": "given", "at": utcnow().isoformat(),
    }  # fmt: skip
    for side in (pair.clinic, pair.bank):
        answer = await pair.client.post("/api/v1/consents/events", token=side.token, json=said)
        assert code(answer) == (409, "consent.given_elsewhere")


def under_a_floor(folder: Path) -> WasmEngine:
    """The policy as it stands, with a floor of the exchange's in its dated law."""
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "data" / "law.json"
    law = json.loads(file.read_text(encoding="utf-8"))
    (law.get("law", law))["exchange.quality"][-1]["values"] = {"clean_permille": 500}
    file.write_text(json.dumps(law), encoding="utf-8")
    stamp = json.loads((folder / BUILT).read_text(encoding="utf-8")) | {"revision": revision_of(folder)}
    (folder / BUILT).write_text(json.dumps(stamp), encoding="utf-8")
    return WasmEngine(folder=folder)


async def test_under_a_floor_of_the_exchange_no_part_is_taken_and_none_is_used_up(
    pair: Pair, press: Press, client_for: ClientFor, tmp_path: Path
) -> None:
    linkage = await pair.approved()
    for side, numbers in ((pair.clinic, range(150)), (pair.bank, range(50, 200))):
        assert (await pair.send(linkage, side, numbers)).status_code == 201
    engine = under_a_floor(tmp_path / "policies")
    async with client_for(*handlers, store=press.store, keys=press.keys, engine=engine) as client:
        under = replace(pair, client=client)
        assert (await under.agree(linkage, pair.clinic)).json()["released"] is None
        late = await under.agree(linkage, pair.bank)
        assert code(late) == (409, "linkage.floor")
        assert late.json()["params"] == {"axes": "clean"}
        assert code(await under.send(linkage, pair.clinic, range(151))) == (409, "linkage.floor")
    await engine.close()
    assert len((await pair.read(linkage, pair.clinic))["contributions"]) == 2
    assert (await pair.agree(linkage, pair.bank)).json()["released"]["number"] == 1


async def test_a_part_whose_own_manifest_sets_a_floor_is_not_taken(pair: Pair) -> None:
    linkage = await pair.approved()
    answer = await pair.send(linkage, pair.clinic, range(150), **{"k: 5": "k: 5\nquality: {clean_permille: 1}"})
    assert code(answer) == (409, "linkage.floor")
