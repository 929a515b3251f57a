"""Headers that all pages and files carry: nothing inline, nothing from elsewhere, never in a frame, never kept."""

from __future__ import annotations

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
SECURITY: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept, Cookie, HX-Request",
}


def secured(response: Response[Any]) -> Response[Any]:
    """Whatever a handler answers, with the headers that it did not set itself."""
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    return response


def as_file(body: bytes, media_type: str, name: str) -> Response[bytes]:
    """What the browser keeps instead of showing it."""
    return Response(body, media_type=media_type, headers=file_headers(name))


def file_headers(name: str) -> dict[str, str]:
    """Headers of a file that the browser keeps."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}
