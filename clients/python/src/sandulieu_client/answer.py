"""The answer of a query that ran: fetched when it is wanted, in the form that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sandulieu_client.transport import Transport

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

FORMS = {
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv",
    "json": "application/json",
}


def form_of(path: str | Path, form: str | None) -> str:
    """`form`, else that of the file's ending. Raises ValueError for one that there is not."""
    wanted = form or Path(path).suffix.removeprefix(".")
    if wanted not in FORMS:
        raise ValueError(f"{wanted or path}: one of {', '.join(FORMS)}, as the file's ending or form=")
    return wanted


@dataclass(frozen=True)
class Answer:
    """A query that is ready. `charged_vnd`: what was paid; `rows`: how many there are."""

    id: str
    charged_vnd: int
    rows: int
    body: Mapping[str, Any]
    """The query as the service shows it: decision, lines, columns, hash of the result."""
    transport: Transport = field(repr=False)
    kept: dict[str, bytes] = field(default_factory=dict, repr=False)

    def bytes(self, form: str = "arrow") -> bytes:
        """The answer in a form of `FORMS`; kept, so that it is fetched once."""
        if form not in self.kept:
            self.kept[form] = self.transport.fetch(f"/api/v1/queries/{self.id}/result", FORMS[form])
        return self.kept[form]

    def to_arrow(self) -> pa.Table:
        """As a pyarrow table."""
        return pa.ipc.open_stream(self.bytes()).read_all()

    def to_pandas(self) -> pd.DataFrame:
        """As a pandas frame (needs pandas)."""
        return self.to_arrow().to_pandas()

    def to_polars(self) -> pl.DataFrame:
        """As a polars frame (needs polars)."""
        import polars

        return polars.DataFrame(self.to_arrow())

    def save(self, path: str | Path, form: str | None = None) -> Path:
        """Writes it to a file; the form is that of the file's ending unless told."""
        target = Path(path)
        target.write_bytes(self.bytes(form_of(path, form)))
        return target

    def receipt(self) -> Mapping[str, Any]:
        """Decision, price and log proof of it (of its first dataset)."""
        found: Mapping[str, Any] = self.transport.get(f"/api/v1/queries/{self.id}/receipt")
        return found
