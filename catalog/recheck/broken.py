"""What the broker finds broken in a version that a jail made."""

from __future__ import annotations

import numpy as np

from catalog.cohorts import Ints
from catalog.errors import PublicationRefused


def require(holds: Ints | np.bool_ | bool, promise: str) -> None:
    """Raises PublicationRefused that names the promise unless it holds, for each where there are several."""
    if not np.all(holds):
        raise PublicationRefused("publication.promise_broken", promise=promise)
