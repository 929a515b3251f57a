"""Headers of all that we answer: nothing kept or taken for what it is not; and of pages: nothing inline, nothing
from elsewhere, never in a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litestar import Response

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
UNKEPT: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
SECURITY: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept, Cookie, HX-Request",
    **UNKEPT,
}


def secured(response: Response[Any]) -> Response[Any]:
    """A page, with the headers that its handler did not set itself."""
    return _completed(response, SECURITY)


def unkept(response: Response[Any]) -> Response[Any]:
    """Any other answer: kept by nobody, unless its handler says otherwise."""
    return _completed(response, UNKEPT)


def _completed(response: Response[Any], headers: Mapping[str, str]) -> Response[Any]:
    for name, value in headers.items():
        response.headers.setdefault(name, value)
    return response


def as_file(body: bytes, media_type: str, name: str) -> Response[bytes]:
    """What the browser keeps instead of showing it."""
    return Response(body, media_type=media_type, headers=file_headers(name))


def file_headers(name: str) -> dict[str, str]:
    """Headers of a file that the browser keeps."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}
