"""What helps to choose a dataset, open to everybody."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.config import Config
from marketplace.errors import NotFound
from marketplace.feeds.negotiation import AnyRequest
from marketplace.feeds.site import site_of
from marketplace.finding.about import About, about
from marketplace.finding.calculator import QUERIES, Estimate, estimate
from marketplace.listings.reads import read_dataset


@get("/api/v1/datasets/{dataset:str}/about", operation_id="aboutDataset")
async def get_about(request: AnyRequest, session: AsyncSession, config: Config, dataset: str) -> About:
    """What stands in each column (shares in steps), what changed from version to version, how it is cited, what is
    like it, who uses it (in bands)."""
    page = await read_dataset(session, dataset)
    if page is None:
        raise NotFound
    return await about(session, page, site=site_of(request, config).url)


@get("/api/v1/datasets/{dataset:str}/estimate", operation_id="estimatePrice")
async def get_estimate(
    session: AsyncSession,
    dataset: str,
    column: Annotated[list[str] | None, QueryParameter(required=False, max_items=2_000)] = None,
    queries: Annotated[int, QueryParameter(required=False, ge=1, le=QUERIES)] = 1,
) -> Estimate:
    """What queries of these columns would cost by the public offer; the quote of a query is what binds."""
    page = await read_dataset(session, dataset)
    if page is None or page.price is None:
        raise NotFound
    return estimate(page.price.terms, page.columns, chosen=column or (), queries=queries)


handlers: list[ControllerRouterHandler] = [get_about, get_estimate]
"""Public, as the dataset's page is."""
