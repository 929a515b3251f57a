"""The multipart body of a publication, said in OpenAPI, because the handler reads the stream itself."""

from __future__ import annotations

from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

_TEXT = Schema(type=OpenAPIType.STRING, description="YAML manifest, UTF-8")
_SUITE = Schema(
    type=OpenAPIType.STRING,
    description="Optional: expectations in Great Expectations' form, YAML or JSON; what is critical must hold",
)
_FILE = Schema(
    type=OpenAPIType.STRING,
    content_media_type="application/octet-stream",
    description="CSV (also gzip) or Parquet",
)
_OVERRIDES = Schema(
    type=OpenAPIType.STRING,
    content_media_type="application/json",
    description=(
        "A person's answers to what the scan for personal data found, logged with the release: "
        '[{"columns": ["ghi_chu"], "finding": "phone", "reason": "…"}]'
    ),
)
_PARTS = Schema(
    type=OpenAPIType.OBJECT,
    properties={"manifest": _TEXT, "file": _FILE, "overrides": _OVERRIDES, "suite": _SUITE},
    required=["manifest", "file"],
)


@dataclass
class PublicationBody(Operation):
    """The parts `manifest` and `file`, and perhaps `overrides` and `suite`."""

    def __post_init__(self) -> None:
        """Litestar finds no `data` in the handler and says there is no body."""
        self.request_body = RequestBody(
            required=True, content={"multipart/form-data": OpenAPIMediaType(schema=_PARTS)}
        )
