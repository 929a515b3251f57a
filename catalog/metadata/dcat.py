"""DCAT-AP 3: a listed dataset, and a page of the catalogue.

Source: SEMIC DCAT-AP 3.0.1, W3C DCAT 3, Hydra for pages. The data itself is not handed out: its distribution is
the service that answers questions. What can be downloaded are generated rows, told as a sample.
"""

from __future__ import annotations

from collections.abc import Sequence

from catalog.metadata.described import Described, Party, Site
from catalog.metadata.graph import Iri, Node, Resource, Text, either, instant
from catalog.metadata.vocabularies import (
    IANA,
    LANGUAGES,
    RESTRICTED,
    country,
    data_theme,
    file_type,
    frequency,
    licence_iri,
    period,
)

Properties = tuple[tuple[str, Node], ...]


def dataset(described: Described, site: Site) -> Resource:
    """A dcat:Dataset, named by its page."""
    page = site.page(described.slug)
    return Resource(
        iri=page,
        types=("dcat:Dataset",),
        properties=(
            *either("dct:title", described.title_vi, described.title_en),
            *either("dct:description", *_described(described)),
            ("dct:identifier", Text(described.id)),
            ("dct:publisher", _agent(described.owner)),
            *((("dct:creator", _agent(party))) for party in described.parties),
            ("dcat:contactPoint", _contact(described.owner, page)),
            *(("dcat:keyword", Text(theme, language="vi")) for theme in described.themes),
            *_themes(described.themes),
            ("dct:issued", instant(described.first_released_at)),
            ("dct:modified", instant(described.released_at)),
            ("dcat:version", Text(str(described.number))),
            ("dct:accrualPeriodicity", _named(frequency(described.update_frequency), "dct:Frequency")),
            *(("dct:language", _named(language, "dct:LinguisticSystem")) for language in LANGUAGES),
            *_where(described.spatial),
            *_when(described.temporal),
            ("dct:accessRights", _named(RESTRICTED, "dct:RightsStatement")),
            ("dcat:landingPage", _named(page, "foaf:Document")),
            ("dcat:distribution", _answers(described, site)),
            *((("adms:sample", _sample(described, site)),) if described.has_sample else ()),
        ),
    )


def catalogue(
    page: Sequence[Described],
    site: Site,
    *,
    here: str,
    following: str | None,
) -> tuple[Resource, ...]:
    """One page of the catalogue at the address `here`, with the address of the next one."""
    view: Properties = (("hydra:first", Iri(here.split("?", maxsplit=1)[0])),)
    if following is not None:
        view = (*view, ("hydra:next", Iri(following)))
    exchange = Resource(
        iri=f"{site.url}/#exchange",
        types=("foaf:Agent",),
        properties=(*either("foaf:name", site.title_vi, site.title_en), ("foaf:homepage", Iri(f"{site.url}/"))),
    )
    told = Resource(
        iri=site.catalogue,
        types=("dcat:Catalog", "hydra:Collection"),
        properties=(
            *either("dct:title", site.title_vi, site.title_en),
            *either(
                "dct:description",
                "Bộ dữ liệu đã ẩn danh: hỏi được theo mục đích, không lấy được bản sao.",
                "Anonymised datasets: they answer questions for a purpose, and are not copied.",
            ),
            ("dct:publisher", exchange),
            *(("dct:language", _named(language, "dct:LinguisticSystem")) for language in LANGUAGES),
            ("foaf:homepage", _named(f"{site.url}/", "foaf:Document")),
            ("hydra:view", Resource(iri=here, types=("hydra:PartialCollectionView",), properties=view)),
            *(("dcat:dataset", dataset(each, site)) for each in page),
        ),
    )
    return (told,)


def _described(described: Described) -> tuple[str, str]:
    """DCAT-AP wants a description of every dataset; the title stands in where there is none."""
    return described.description_vi.strip() or described.title_vi, described.description_en


def _agent(party: Party) -> Resource:
    return Resource(iri=party.iri, types=("foaf:Agent",), properties=(("foaf:name", Text(party.name)),))


def _contact(party: Party, page: str) -> Resource:
    said: Properties = (("vcard:fn", Text(party.name)), ("vcard:hasURL", Iri(page)))
    return Resource(types=("vcard:Organization", "vcard:Kind"), properties=said)


def _themes(themes: tuple[str, ...]) -> Properties:
    """One concept each, by the first of the owner's words for it."""
    found = {iri: theme for theme in reversed(themes) if (iri := data_theme(theme))}
    return tuple(
        ("dcat:theme", Resource(iri=iri, types=("skos:Concept",), properties=either("skos:prefLabel", word, "")))
        for iri, word in found.items()
    )


def _where(spatial: str) -> Properties:
    if found := country(spatial):
        return (("dct:spatial", _named(found, "dct:Location")),)
    if not spatial.strip():
        return ()
    place = Resource(types=("dct:Location",), properties=(("skos:prefLabel", Text(spatial)),))
    return (("dct:spatial", place),)


def _when(temporal: str) -> Properties:
    found = period(temporal)
    if found is None:
        return ()
    days = zip(("dcat:startDate", "dcat:endDate"), found, strict=True)
    said = tuple((name, Text(day, datatype="xsd:date")) for name, day in days)
    return (("dct:temporal", Resource(types=("dct:PeriodOfTime",), properties=said)),)


def _answers(described: Described, site: Site) -> Resource:
    """How the data is had: by asking."""
    page, service = site.page(described.slug), f"{site.url}/api/v1"
    asked = Resource(
        iri=f"{service}/queries",
        types=("dcat:DataService",),
        properties=(
            *either(
                "dct:title", "Truy vấn có quyết định, giá và biên nhận", "Queries, decided, priced, with receipts"
            ),
            ("dcat:endpointURL", Iri(f"{service}/queries")),
            ("dcat:endpointDescription", Iri(f"{site.url}/schema/openapi.json")),
        ),
    )
    return Resource(
        iri=f"{page}#answers",
        types=("dcat:Distribution",),
        properties=(
            *either("dct:title", "Câu trả lời qua truy vấn", "Answers to queries"),
            ("dcat:accessURL", Iri(page)),
            ("dcat:accessService", asked),
            *_csv(),
            *_licence(described.licence),
            ("odrl:hasPolicy", _named(f"{service}/datasets/{described.id}/odrl", "odrl:Policy")),
        ),
    )


def _sample(described: Described, site: Site) -> Resource:
    address = site.form(described.slug, "sample.csv")
    return Resource(
        iri=address,
        types=("dcat:Distribution",),
        properties=(
            *either(
                "dct:title", "Mẫu được sinh ra, không chứa bản ghi thật", "Generated sample; no real record in it"
            ),
            ("dcat:accessURL", Iri(site.page(described.slug))),
            ("dcat:downloadURL", Iri(address)),
            *_csv(),
            *_licence(described.licence),
        ),
    )


def _csv() -> Properties:
    return (
        ("dct:format", _named(file_type("text/csv"), "dct:MediaTypeOrExtent")),
        ("dcat:mediaType", _named(f"{IANA}text/csv", "dct:MediaType")),
    )


def _licence(licence: str) -> Properties:
    said: Properties = (("dct:title", Text(licence)),)
    return (("dct:license", Resource(iri=licence_iri(licence), types=("dct:LicenseDocument",), properties=said)),)


def _named(iri: str, kind: str) -> Resource:
    return Resource(iri=iri, types=(kind,))
