"""Whether a service could listen there."""

from __future__ import annotations

import errno
import socket


def free(host: str, port: int) -> bool:
    """Nobody listens there yet."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((host, port))
        except OSError as taken:
            return taken.errno != errno.EADDRINUSE
    return True
