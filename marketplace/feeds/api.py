"""The catalogue and its datasets for machines: open to everybody, as the pages are."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.metadata import atom as atom_feed
from catalog.metadata import sitemap
from catalog.metadata.dcat import catalogue
from marketplace.config import Config
from marketplace.errors import NotFound
from marketplace.feeds.forms import FORMS, NEGOTIATED, RDF
from marketplace.feeds.negotiation import AnyRequest, answer, choose, require_choice
from marketplace.feeds.reads import catalogue_page, described, releases, sitemap_files, sitemap_pages
from marketplace.feeds.site import site_of
from marketplace.parameters import Cursor

HTML, JSON = "text/html", "application/json"
SUFFIX = {media_type: suffix for suffix, (media_type, _) in RDF.items()}


@get("/catalog", operation_id="negotiateCatalogue")
async def get_catalogue(
    request: AnyRequest, session: AsyncSession, config: Config, cursor: Cursor = None
) -> Response[bytes] | Redirect:
    """The catalogue in the form that `Accept` asks for: DCAT-AP 3, or the page."""
    chosen = require_choice(request, (*SUFFIX, HTML, JSON))
    if chosen == HTML:
        return Redirect("/", status_code=303, headers={"Vary": "Accept"})
    return await _catalogue(request, session, config, SUFFIX.get(chosen, "jsonld"), cursor, negotiated=True)


@get("/catalog.ttl", operation_id="readCatalogueTurtle")
async def get_turtle(
    request: AnyRequest, session: AsyncSession, config: Config, cursor: Cursor = None
) -> Response[bytes]:
    """The catalogue as DCAT-AP 3, in pages (`hydra:next`), as Turtle."""
    return await _catalogue(request, session, config, "ttl", cursor)


@get("/catalog.rdf", operation_id="readCatalogueXml")
async def get_rdf(
    request: AnyRequest, session: AsyncSession, config: Config, cursor: Cursor = None
) -> Response[bytes]:
    """The same as RDF/XML."""
    return await _catalogue(request, session, config, "rdf", cursor)


@get("/catalog.jsonld", operation_id="readCatalogueJson")
async def get_jsonld(
    request: AnyRequest, session: AsyncSession, config: Config, cursor: Cursor = None
) -> Response[bytes]:
    """The same as JSON-LD."""
    return await _catalogue(request, session, config, "jsonld", cursor)


async def _catalogue(
    request: AnyRequest,
    session: AsyncSession,
    config: Config,
    suffix: str,
    cursor: str | None,
    *,
    negotiated: bool = False,
) -> Response[bytes]:
    site, (media_type, write) = site_of(request, config), RDF[suffix]
    page, following = await catalogue_page(session, cursor=cursor)
    address = f"{site.catalogue}.{suffix}"
    here, next_page = _at(address, cursor), _at(address, following) if following else None
    headers = {"Link": f'<{next_page}>; rel="next"'} if next_page else {}
    if negotiated:
        headers |= {"Vary": "Accept", "Content-Location": here}
    body = write(catalogue(page, site, here=here, following=next_page))
    return answer(request, body, media_type, headers=headers)


def _at(address: str, cursor: str | None) -> str:
    return f"{address}?{urlencode({'cursor': cursor})}" if cursor else address


@get("/catalog.atom", operation_id="readReleases")
async def get_atom(
    request: AnyRequest, session: AsyncSession, config: Config, cursor: Cursor = None
) -> Response[bytes]:
    """New datasets and new versions, newest first (Atom)."""
    site = site_of(request, config)
    shown, following = await releases(session, cursor=cursor)
    address = f"{site.catalogue}.atom"
    body = atom_feed.atom(
        shown, site, here=_at(address, cursor), following=_at(address, following) if following else None
    )
    return answer(request, body, atom_feed.MEDIA_TYPE)


@get("/datasets/{slug:str}/metadata", operation_id="negotiateMetadata")
async def get_metadata(request: AnyRequest, session: AsyncSession, config: Config, slug: str) -> Response[bytes]:
    """What is said of a dataset, in the form that `Accept` asks for."""
    name = NEGOTIATED[require_choice(request, tuple(NEGOTIATED))]
    return await _form(request, session, config, slug, name, negotiated=True)


@get("/datasets/{slug:str}/metadata/{form:str}", operation_id="readMetadata")
async def get_form(
    request: AnyRequest, session: AsyncSession, config: Config, slug: str, form: str
) -> Response[bytes]:
    """One form by its name: dcat.ttl, dcat.rdf, dcat.jsonld, schema.jsonld, croissant.json, contract.yaml,
    csvw.json, sample.csv."""
    if form not in FORMS:
        raise NotFound
    return await _form(request, session, config, slug, form)


async def _form(
    request: AnyRequest, session: AsyncSession, config: Config, slug: str, name: str, *, negotiated: bool = False
) -> Response[bytes]:
    found = await described(session, slug)
    if found is None:
        raise NotFound
    site, form = site_of(request, config), FORMS[name]
    headers = {"Link": f'<{site.page(found.slug)}>; rel="describes"'}
    if negotiated:
        headers |= {"Vary": "Accept", "Content-Location": site.form(found.slug, name)}
    return answer(request, form.write(found, site), form.media_type, headers=headers)


async def lead_to_metadata(request: AnyRequest) -> Redirect | None:
    """Before a dataset's page: who asks for another form than a page is led to it (303), as linked data has it."""
    chosen = choose(request.headers.get("accept"), (HTML, *NEGOTIATED))
    if chosen is None or chosen == HTML:
        return None
    address = f"{request.url.path}/metadata/{NEGOTIATED[chosen]}"
    return Redirect(address, status_code=303, headers={"Vary": "Accept"})


@get("/robots.txt", operation_id="readRobots")
async def get_robots(request: AnyRequest, config: Config) -> Response[bytes]:
    """Where the sitemap is."""
    body = f"User-agent: *\nDisallow: /login\nSitemap: {site_of(request, config).url}/sitemap.xml\n"
    return answer(request, body.encode(), "text/plain")


@get("/sitemap.xml", operation_id="readSitemapIndex")
async def get_sitemap(request: AnyRequest, session: AsyncSession, config: Config) -> Response[bytes]:
    """The index of all sitemaps, which begin each at a dataset."""
    site = site_of(request, config)
    files = await sitemap_files(session, each=sitemap.MOST_ADDRESSES)
    body = sitemap.sitemap_index(f"{site.url}/sitemaps/{first}" for first in files)
    return answer(request, body, sitemap.MEDIA_TYPE)


@get("/sitemaps/{first:uuid}", operation_id="readSitemap")
async def get_sitemap_file(
    request: AnyRequest, session: AsyncSession, config: Config, first: UUID
) -> Response[bytes]:
    """Datasets from that one on, with when each got its newest version."""
    site = site_of(request, config)
    pages = await sitemap_pages(session, first=first, each=sitemap.MOST_ADDRESSES)
    body = sitemap.sitemap((site.page(slug), at) for slug, at in pages)
    return answer(request, body, sitemap.MEDIA_TYPE)


handlers: list[ControllerRouterHandler] = [
    get_catalogue,
    get_turtle,
    get_rdf,
    get_jsonld,
    get_atom,
    get_metadata,
    get_form,
    get_robots,
    get_sitemap,
    get_sitemap_file,
]
