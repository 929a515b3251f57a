"""Where this home publishes its log."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from marketplace.audit.disk import DiskLog
from marketplace.audit.published import PublishedLog
from marketplace.config import Config
from marketplace.sources.description import S3, read_description
from marketplace.sources.errors import DescriptionWrong

if TYPE_CHECKING:
    from marketplace.audit.bucket_log import BucketLog


def published_log(config: Config) -> PublishedLog:
    """Where this home publishes. Of a wrong description NotSecure, OpenToOthers, DescriptionWrong, OSError."""
    folder, described = config.path("log"), config.log_store_file
    if described is None:
        return DiskLog(folder)
    return _bucket_log(described, described.stat().st_mtime_ns, folder, config.log_store_timeout_ms)


@functools.lru_cache(maxsize=4)
def _bucket_log(described: Path, _: int, folder: Path, timeout_ms: int) -> BucketLog:
    """One for all who ask, with its connections; another once the file was written anew, as keys are replaced."""
    # Here, because its HTTP client takes a quarter of a second to import, which few need.
    from marketplace.audit.bucket_log import BucketLog
    from marketplace.sources.bucket import Bucket

    place = read_description(described)
    if not isinstance(place, S3):
        raise DescriptionWrong(problem='kind: "s3"')
    return BucketLog(Bucket(place, timeout_ms=timeout_ms), folder)
