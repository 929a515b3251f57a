"""What others' programs say of what we publish. Run by the environment `standards`, which has none of our code.

Reads {"graphs": [[ttl, rdf, jsonld], …], "shapes": […], "croissant": […], "contracts": […], "csvw": […], "ckan"}
from standard input (paths, but the last two addresses) and writes what each says.
"""

from __future__ import annotations

import json
import logging
import pathlib
import sys
from typing import Any

import ckanapi
import csvw
import jsonschema
import mlcroissant
import open_data_contract_standard
import pyshacl
import rdflib
import rdflib.compare
import yaml

FORMATS = ("turtle", "xml", "json-ld")


def main(asked: dict[str, Any]) -> dict[str, Any]:
    shapes = rdflib.Graph()
    for file in asked["shapes"]:
        shapes.parse(file, format="turtle")
    return {
        "graphs": [graph(files, shapes) for files in asked["graphs"]],
        "croissant": [croissant(file) for file in asked["croissant"]],
        "contracts": [contract(file) for file in asked["contracts"]],
        "csvw": [tables(address) for address in asked["csvw"]],
        "ckan": ckan(asked["ckan"]),
    }


def graph(files: list[str], shapes: rdflib.Graph) -> dict[str, Any]:
    """Whether the three say the same, and what the shapes say of it."""
    graphs = [rdflib.Graph().parse(file, format=kind) for file, kind in zip(files, FORMATS, strict=True)]
    alike = [rdflib.compare.isomorphic(graphs[0], other) for other in graphs[1:]]
    conforms, _, said = pyshacl.validate(graphs[0], shacl_graph=shapes, advanced=True)
    literals = sorted(str(each) for each in set(graphs[0].objects()) if isinstance(each, rdflib.Literal))
    subjects = sorted(str(each) for each in set(graphs[0].subjects()) if isinstance(each, rdflib.URIRef))
    return {"alike": alike, "conforms": conforms, "said": said, "literals": literals, "subjects": subjects,
            "size": len(graphs[0])}  # fmt: skip


def croissant(file: str) -> dict[str, Any]:
    """Its issues, and the records that it reads over the network."""
    dataset = mlcroissant.Dataset(file)
    records = list(dataset.records(record_set="records"))
    return {
        "errors": list(dataset.metadata.ctx.issues.errors),
        "warnings": list(dataset.metadata.ctx.issues.warnings),
        "version": str(dataset.metadata.conforms_to),
        "records": len(records),
    }


def contract(file: str) -> list[str]:
    """What the standard's JSON schema has against it."""
    schema = json.loads((pathlib.Path(open_data_contract_standard.__path__[0]) / "schema.json").read_text())
    document = yaml.safe_load(pathlib.Path(file).read_text(encoding="utf-8"))
    found = jsonschema.Draft201909Validator(schema).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in found]


def tables(address: str) -> dict[str, Any]:
    """Whether the file is as its description says."""
    read = csvw.CSVW(address)
    return {"valid": read.is_valid, "rows": len(list(read.tables[0].iterdicts()))}


def ckan(url: str) -> dict[str, Any]:
    """The walk of a client that knows nothing but CKAN."""
    with ckanapi.RemoteCKAN(url, user_agent="tests") as there:
        names = there.action.package_list()
        shown = there.action.package_show(id=names[0])
        found = there.action.package_search(q=f"name:{names[0]}", **{"facet.field": ["organization"]})
        owners = there.action.organization_list(all_fields=True)
        refused = []
        for action, given in (("package_show", {"id": "nothing"}), ("package_show", {}), ("none_such", {}),
                              ("package_search", {"q": "nothing:here"})):  # fmt: skip
            try:
                there.call_action(action, given)
            except ckanapi.errors.CKANAPIError as error:
                refused.append(type(error).__name__)
        return {
            "names": names,
            "shown": shown["name"],
            "found": found["count"],
            "facets": found["search_facets"],
            "owners": [owner["name"] for owner in owners],
            "refused": refused,
            "tags": there.action.tag_list(),
            "site": there.action.status_show()["site_url"],
        }


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    json.dump(main(json.load(sys.stdin)), sys.stdout)
