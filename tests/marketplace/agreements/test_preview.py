"""The owner's preview over HTTP: of a manifest, of an acceptance, of what stands; for the owner alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.market import EXAMPLES, PURPOSE, Market
from tests.visits import visiting

MANIFEST = (EXAMPLES / "adult" / "manifest.yaml").read_text(encoding="utf-8")
TERMS = {"purpose": "research.health", "justification": "Một lý do đủ dài để được nhận.", "duration_days": 30}


def cells(preview: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(cell["kind"], cell["purpose"]): cell["answer"] for cell in preview["cells"]}


def previewed(market: Market, **changed: Any) -> dict[str, Any]:
    answer = market.client("owner").post("/api/v1/previews", {"manifest": MANIFEST, "persons": 32_561} | changed)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(scope="module")
def application(market: Market) -> str:
    """One for a purpose that is only akin to those of adult."""
    made = market.client("startup").post(f"/api/v1/datasets/{market.datasets['adult']}/applications", TERMS)
    assert made.status == 201, made.body
    return str(made.json()["id"])


def test_a_manifest_and_the_dataset_made_of_it_are_previewed_alike(market: Market) -> None:
    announced, listed = previewed(market), market.client("owner").get("/api/v1/datasets/adult/preview").json()
    assert announced["listing"]["decision"]["allow"]
    assert listed["listing"] is None
    assert listed["others"] == []

    def told(preview: dict[str, Any]) -> dict[tuple[str, str], Any]:
        return {
            key: (each["stage"], each["judged"], [r["code"] for r in each["decision"]["reasons"]])
            for key, each in cells(preview).items()
        }

    assert told(announced) == told(listed)
    allowed = cells(listed)["fit", PURPOSE]["decision"]["obligations"]
    assert (len(allowed["columns"]), allowed["k_min"], allowed["max_rows"]) == (9, 10, 10_000)


def test_a_manifest_that_could_not_be_published_says_why_in_both_languages(market: Market) -> None:
    wrong = MANIFEST.replace("law: data-law-60-2024", "law: hearsay")
    listing = previewed(market, manifest=wrong)["listing"]
    assert [reason["code"] for reason in listing["decision"]["reasons"]] == ["basis.law_unknown"]
    assert [set(each) for each in listing["messages"]] == [{"vi", "en"}]
    broken = market.client("owner").post("/api/v1/previews", {"manifest": "slug: x", "persons": 5})
    assert (broken.status, broken.json()["code"]) == (422, "listing.manifest_wrong")


def test_so_many_people_that_the_class_is_too_high_are_denied_to_all(market: Market) -> None:
    many = MANIFEST.replace("{kind: public, law: data-law-60-2024}", "{kind: law, law: data-law-60-2024}")
    told = cells(previewed(market, manifest=many, persons=2_000_000))
    assert not any(answer["decision"]["allow"] for answer in told.values())
    assert "class.over_ceiling" in {r["code"] for r in told["fit", PURPOSE]["decision"]["reasons"]}


def test_the_same_manifest_is_previewed_in_the_other_mode_with_its_columns_and_ceiling(market: Market) -> None:
    told = previewed(market)
    (other,) = told["others"]
    assert (told["mode"], other["mode"]) == ("rows", "aggregate")
    owed = [cells(each)["fit", PURPOSE]["decision"]["obligations"] for each in (told, other)]
    assert [each["mode"] for each in owed] == ["rows", "aggregate"]
    assert "salary_class" in owed[0]["columns"]
    assert "salary_class" not in owed[1]["columns"], "a sensitive column is in no aggregate file"


def test_who_may_ask_now_stands_beside_who_could(market: Market) -> None:
    others = market.agreements["adult"]
    agreement = market.agree("adult")
    market.agreements["adult"] = others
    standing = market.client("owner").get("/api/v1/datasets/adult/preview").json()["standing"]
    (mine,) = [each for each in standing if each["agreement_id"] == agreement]
    assert mine["answer"]["decision"]["allow"]
    people = market.client("owner").get(f"/api/v1/agreements/{agreement}").json()["people"]
    assert [mine["person_name"]] == [person["name"] for person in people]
    ended = market.client("owner").post(f"/api/v1/agreements/{agreement}/end", {"reason": "Kiểm thử."})
    assert ended.ok
    standing = market.client("owner").get("/api/v1/datasets/adult/preview").json()["standing"]
    assert agreement not in {each["agreement_id"] for each in standing}


def test_an_acceptance_is_previewed_as_it_would_be_decided(market: Market, application: str) -> None:
    def preview(**granted: Any) -> dict[str, Any]:
        body = {"decision": "accept", **granted}
        answer = market.client("owner").post(f"/api/v1/applications/{application}/preview", body)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.json()
        return found

    unjudged = preview()
    assert (unjudged["stage"], [r["code"] for r in unjudged["decision"]["reasons"]]) == (
        "accept",
        ["purpose.needs_person"],
    )
    owed = preview(purpose_judged=True, columns=["age", "sex"], max_rows=7)["decision"]["obligations"]
    assert (owed["columns"], owed["max_rows"]) == (["age", "sex"], 7)
    state = market.client("owner").get(f"/api/v1/applications/{application}").json()["state"]
    assert state == "submitted", "nothing was decided"


@pytest.mark.parametrize("path", ["/api/v1/datasets/adult/preview", "/datasets/adult/preview"])
def test_what_stands_is_the_owners_own(market: Market, path: str) -> None:
    for role, status in (("rival_owner", 404), ("startup", 403), ("regulator", 403), ("owner", 200)):
        if path.startswith("/api"):
            assert market.client(role).get(path).status == status, role
        else:
            with visiting(market, role) as visitor:
                assert visitor.get(path).status_code == status, role
    with visiting(market, None) as nobody:
        assert nobody.get("/datasets/adult/preview").status_code == 303


def test_another_owner_previews_no_acceptance(market: Market, application: str) -> None:
    path, body = f"/api/v1/applications/{application}/preview", {"decision": "accept"}
    assert market.client(None).post(path, body).status == 401
    assert market.client("rival_owner").post(path, body).status == 404
    assert market.client("startup").post(path, body).status == 403


def test_the_pages_show_it_and_mistakes_come_back_with_their_place(market: Market, application: str) -> None:
    with visiting(market, "owner") as owner:
        page = owner.send("/preview", {"manifest": MANIFEST, "persons": "32561"}).text
        assert "Tờ khai này phát hành được" in page
        assert "được 4 trên 9 mục đích" in page
        assert "Mục đích Bán lại dữ liệu (resale) luôn bị cấm" in page
        wrong = owner.send("/preview", {"manifest": MANIFEST.replace("mode:", "modee:"), "persons": "5"})
        assert wrong.status_code == 422
        assert "Dòng " in wrong.text
        assert "Có phải là: mode?" in wrong.text
        assert "modee:" in wrong.text.partition("<textarea")[2]
        assert owner.send("/preview", {"manifest": MANIFEST, "persons": "0"}).status_code == 400
        address = f"/applications/{application}"
        assert "Đang hỏi được theo hợp đồng" in owner.get("/datasets/adult/preview").text
        fields = {"narrowed": "yes", "columns": ["age"], "max_rows": "9", "purpose_judged": "yes"}
        page = owner.send(f"{address}/preview", fields).text
        assert "Nếu chấp nhận như vậy" in page
        assert 'name="max_rows" min="1" step="1" value="9"' in page
        assert page.count('name="columns"') == 9
        assert page.count(" checked") == 2
    with visiting(market, "rival_owner") as rival:
        assert rival.send(f"{address}/preview", fields).status_code == 404
