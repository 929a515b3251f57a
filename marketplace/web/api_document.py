"""The OpenAPI document as it is shown: what every operation has in common is added to what its handler says."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from marketplace.web.problems import MEDIA_TYPE, ProblemView

ABOUT: Final = """\
Ask with `Authorization: Bearer sdl_…`, a token made on the page /tokens or by `POST /api/v1/tokens`; the
catalogue and the public log need none. Every refusal is a problem (RFC 9457) with `code`, what happened, why
and what next in Vietnamese and English, every `reasons` of a denial and every wrong field in `errors`. Lists
come in pages: `next` is the next one's `cursor`. A POST that takes `Idempotency-Key` does its work once for
each key of an organisation: the same body again gives the same answer, another body 409. The walk: `GET
/datasets`, `POST /datasets/{dataset}/applications`, `GET /agreements`, `POST /queries/quote`, `POST
/queries`, `GET /queries/{query_id}/result`, `GET /queries/{query_id}/receipt`.
"""
_PROBLEM: Final = "Problem."
"""Begins the names of a problem's schemas, which are no handler's."""


class ApiDocument(JsonRenderPlugin):
    """`/schema/openapi.json`."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document, completed at the first reading."""
        schemas = openapi_schema["components"]["schemas"]
        if f"{_PROBLEM}ProblemView" not in schemas:
            _, found = msgspec.json.schema_components(
                (ProblemView,), ref_template=f"#/components/schemas/{_PROBLEM}{{name}}"
            )
            schemas |= {_PROBLEM + name: schema for name, schema in found.items()}
            for path, operations in openapi_schema["paths"].items():
                for operation in operations.values():
                    _complete(path, operation)
            _without_anything(openapi_schema)
        return super().render(request, openapi_schema)


def config() -> OpenAPIConfig:
    """Where the document is, and what it says before its paths."""
    bearer = SecurityScheme(type="http", scheme="bearer", bearer_format="sdl_<prefix>_<secret>")
    return OpenAPIConfig(
        title="Sàn dữ liệu",
        version="1",
        description=ABOUT,
        path="/schema",
        use_handler_docstrings=True,
        render_plugins=[ApiDocument()],
        components=Components(security_schemes={"token": bearer}),
        security=[{"token": []}],
    )


def summary_of(description: str) -> str:
    """Its first paragraph, on one line."""
    return " ".join(description.partition("\n\n")[0].split()).rstrip(".")


def part_of(path: str) -> str:
    """The part of the API that a path belongs to."""
    return path.removeprefix("/api/v1/").strip("/").partition("/")[0].partition(".")[0]


def _complete(path: str, operation: dict[str, Any]) -> None:
    """Its first paragraph as the summary, its part of the API as the tag, and how it refuses."""
    operation["summary"] = summary_of(operation["description"])
    operation["tags"] = [part_of(path)]
    # Litestar describes a 400 of its own, which nobody here answers with.
    operation["responses"].pop("400", None)
    operation["responses"]["default"] = {
        "description": "Refused: what, why, what next",
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{_PROBLEM}ProblemView"}}},
    }


def _without_anything(node: Any) -> None:
    """Litestar writes tuple[X, ...] as a list of X or of anything at all: it takes the dots for a type."""
    if isinstance(node, list):
        for each in node:
            _without_anything(each)
    elif isinstance(node, dict):
        choices = node.get("oneOf")
        if isinstance(choices, list) and len(choices) == 2 and choices[1] == {}:
            del node["oneOf"]
            node |= choices[0]
        for each in node.values():
            _without_anything(each)
