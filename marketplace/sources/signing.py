"""AWS Signature Version 4, in its header form (docs.aws.amazon.com, "Authenticating Requests")."""

from __future__ import annotations

import datetime
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from marketplace.sources.description import S3


def query_string(parameters: Sequence[tuple[str, str]]) -> str:
    """As it is signed and as it is sent: sorted, all but unreserved characters in percents."""
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in parameters)
    return "&".join(f"{name}={value}" for name, value in pairs)


def signed_headers(
    source: S3,
    *,
    host: str,
    path: str,
    query: str,
    at: datetime.datetime,
    method: str = "GET",
    body: bytes = b"",
    more: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Headers of a request. `path` in percents, `query` as `query_string` gives it, `at` in UTC."""
    stamp, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    body_sha256 = hashlib.sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": body_sha256, "x-amz-date": stamp, **(more or {})}
    if source.session_token is not None:
        headers["x-amz-security-token"] = source.session_token
    names = ";".join(sorted(headers))
    told = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    request = "\n".join([method, path, query, told, names, body_sha256])
    scope = f"{day}/{source.region}/s3/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{source.secret_access_key}".encode()
    for part in (day, source.region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}".encode(), "sha256").hex()
    return headers | {
        "authorization": f"AWS4-HMAC-SHA256 Credential={source.access_key_id}/{scope},"
        f"SignedHeaders={names},Signature={signature}"
    }
