"""Headers that every page carries: nothing inline, nothing from elsewhere, never in a frame."""

from __future__ import annotations

from typing import Final

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


def as_file(body: bytes, media_type: str, name: str) -> Response[bytes]:
    """What the browser keeps instead of showing it."""
    return Response(body, media_type=media_type, headers=file_headers(name))


def file_headers(name: str) -> dict[str, str]:
    """Headers of a file that the browser keeps."""
    return {**SECURITY, "Content-Disposition": f'attachment; filename="{name}"'}
