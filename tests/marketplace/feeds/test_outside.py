"""What is published, read by the programs that it is published for: none of them knows our code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from catalog.metadata.dcat import catalogue
from catalog.metadata.graph import legible
from marketplace.feeds.forms import FORMS, RDF
from tests.market import Market
from tests.marketplace.feeds.telling import HOSTILE, SITE, tell
from tests.policies.conftest import program

HERE = Path(__file__).parent
PAGE = "https://san.example/catalog.ttl"


def run(environment: Any, script: str, given: str) -> Any:
    python = program(environment) / "bin" / "python"
    done = subprocess.run(
        [str(python), str(HERE / script)], input=given, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def said(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Of the running service, and of one dataset whose owner is hostile: one process, for it is slow to start."""
    folder = Path(tmp_path_factory.mktemp("forms"))
    files: dict[str, str] = {}
    for name in ("catalog.ttl", "catalog.rdf", "catalog.jsonld", *(f"datasets/adult/metadata/{f}" for f in FORMS)):
        answer = market.client(None).get(f"/{name}")
        assert answer.ok, name
        files[name] = _written(folder / name.replace("/", "-"), answer.body)
    two = catalogue((tell(1), tell(2, hostile=HOSTILE)), SITE, here=PAGE, following=f"{PAGE}?cursor=a%26b")
    hostile = [_written(folder / f"hostile.{suffix}", write(two)) for suffix, (_, write) in RDF.items()]
    contract = FORMS["contract.yaml"].write(tell(hostile=HOSTILE), SITE)
    dataset = "datasets/adult/metadata"
    asked = {
        "graphs": [
            [files[f"catalog.{suffix}"] for suffix in RDF],
            [files[f"{dataset}/dcat.{suffix}"] for suffix in RDF],
            hostile,
        ],
        "shapes": [str(HERE / "shapes" / name) for name in ("shapes.ttl", "range.ttl")],
        "croissant": [files[f"{dataset}/croissant.json"]],
        "contracts": [files[f"{dataset}/contract.yaml"], _written(folder / "hostile.yaml", contract)],
        "csvw": [f"{market.url}/{dataset}/csvw.json"],
        "ckan": market.url,
    }
    return run("standards", "outside.py", json.dumps(asked))


def _written(path: Path, body: bytes) -> str:
    path.write_bytes(body)
    return str(path)


def test_three_forms_of_a_graph_say_the_same_and_are_dcat_ap(said: Any) -> None:
    page, dataset, hostile = said["graphs"]
    assert (dataset["alike"], hostile["alike"]) == ([True, True], [True, True])
    assert page["alike"] == [False, False], "a page names itself, and each form has its own"
    for graph in said["graphs"]:
        assert graph["conforms"], graph["said"]
        assert graph["size"] > 20


def test_hostile_texts_stay_texts(said: Any) -> None:
    graph = said["graphs"][2]
    assert legible(HOSTILE) in graph["literals"]
    assert "urn:x" not in graph["subjects"]
    assert set(graph["subjects"]) > {SITE.page("dan_so_1"), SITE.page("dan_so_2")}


def test_croissant_is_whole_and_its_records_can_be_loaded(said: Any) -> None:
    (read,) = said["croissant"]
    assert (read["errors"], read["warnings"]) == ([], [])
    assert read["records"] > 0
    assert "1.1" in read["version"]


def test_contracts_are_what_the_standard_says(said: Any) -> None:
    assert said["contracts"] == [[], []]


def test_the_sample_is_as_its_description_says(said: Any) -> None:
    assert said["csvw"][0]["valid"]
    assert said["csvw"][0]["rows"] > 0


def test_a_client_of_ckan_finds_its_way_and_is_refused_as_by_ckan(said: Any) -> None:
    ckan = said["ckan"]
    assert "adult" in ckan["names"]
    assert (ckan["shown"], ckan["found"]) == (ckan["names"][0], 1)
    assert set(ckan["facets"]) == {"organization"}
    assert {item["name"] for item in ckan["facets"]["organization"]["items"]} <= set(ckan["owners"])
    assert ckan["refused"] == ["NotFound", "ValidationError", "CKANAPIError", "SearchQueryError"]
    assert ckan["site"].startswith("http://127.0.0.1:")
    assert ckan["tags"] == sorted(ckan["tags"])


def test_ckans_harvester_reads_the_catalogue(market: Market) -> None:
    page = market.client(None).get("/catalog.rdf").body.decode()
    read = run("ckanext-dcat", "ckan_reader.py", page)
    (adult,) = [each for each in read["datasets"] if each.get("uri", "").endswith("/adult") or _uri(each)]
    assert adult["title"]
    assert [resource["url"] for resource in adult["resources"]]
    assert read["next"] is None


def _uri(package: dict[str, Any]) -> bool:
    return any(e["key"] == "uri" and e["value"].endswith("/datasets/adult") for e in package.get("extras", ()))
