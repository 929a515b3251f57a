"""The multipart body of a publication, said in OpenAPI, because the handler reads the stream itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, Reference, RequestBody, Schema

_TEXT = Schema(type=OpenAPIType.STRING, description="YAML manifest, UTF-8")
_FILE = Schema(
    type=OpenAPIType.STRING,
    content_media_type="application/octet-stream",
    description="CSV (also gzip) or Parquet",
)


@dataclass
class PublicationBody(Operation):
    """Two parts: `manifest` and `file`."""

    request_body: RequestBody | Reference | None = field(
        default_factory=lambda: RequestBody(
            required=True,
            content={
                "multipart/form-data": OpenAPIMediaType(
                    schema=Schema(
                        type=OpenAPIType.OBJECT,
                        properties={"manifest": _TEXT, "file": _FILE},
                        required=["manifest", "file"],
                    )
                )
            },
        )
    )
