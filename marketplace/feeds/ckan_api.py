"""CKAN's Action API, version 3, as far as it reads: for harvesters and clients that know CKAN."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import HttpMethod, Response, route
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.config import Config
from marketplace.feeds.ckan_actions import ACTIONS, Asked, CkanRefused
from marketplace.feeds.negotiation import AnyRequest
from marketplace.feeds.site import site_of


@route(
    ["/api/3/action/{action:str}", "/api/action/{action:str}"],
    http_method=[HttpMethod.GET, HttpMethod.POST],
    status_code=200,
)
async def act(request: AnyRequest, session: AsyncSession, config: Config, action: str) -> Response[bytes]:
    """package_search, package_show, package_list, organization_list, organization_show, tag_list, status_show,
    help_show: parameters in the query, or in a JSON body."""
    chosen = ACTIONS.get(action)
    if chosen is None:
        return _told(400, f"Bad request - Action name not known: {action[:100]}")
    site = site_of(request, config)
    told: dict[str, Any] = {"help": f"{site.url}/api/3/action/help_show?name={action}"}
    try:
        parameters = await _parameters(request)
        told |= {"success": True, "result": await chosen(Asked(session, site, parameters))}
    except CkanRefused as refused:
        return _told(refused.status, {**told, "success": False, "error": refused.error})
    return _told(200, told)


async def _parameters(request: AnyRequest) -> dict[str, Any]:
    """Raises CkanRefused."""
    given: dict[str, Any] = dict(request.query_params)
    body = await request.body() if request.method == "POST" else b""
    if not body.strip():
        return given
    try:
        return given | msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as wrong:
        raise CkanRefused(400, "Validation Error", message="JSON Error: the body is no JSON object") from wrong


def _told(status: int, body: object) -> Response[bytes]:
    headers = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}
    return Response(
        msgspec.json.encode(body), status_code=status, media_type="application/json;charset=utf-8", headers=headers
    )


handlers: list[ControllerRouterHandler] = [act]
