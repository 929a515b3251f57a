"""The multipart body of an own table, said in OpenAPI, because the handler reads the stream itself."""

from __future__ import annotations

from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

_NAME = Schema(
    type=OpenAPIType.STRING, description="Its name in SQL: a-z, 0-9, _; begins with a letter", examples=["ma_nghe"]
)
_FILE = Schema(
    type=OpenAPIType.STRING,
    content_media_type="application/octet-stream",
    description="CSV (also gzip) with a header, or Parquet",
)
_PARTS = Schema(type=OpenAPIType.OBJECT, properties={"name": _NAME, "file": _FILE}, required=["name", "file"])


@dataclass
class TableBody(Operation):
    """Two parts: `name` and `file`."""

    def __post_init__(self) -> None:
        """Litestar finds no `data` in the handler and says there is no body."""
        self.request_body = RequestBody(
            required=True, content={"multipart/form-data": OpenAPIMediaType(schema=_PARTS)}
        )
