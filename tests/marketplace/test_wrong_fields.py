"""What is wrong with a field is said in the reader's language, and by the name that the caller wrote."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from litestar import get, post
from litestar.params import QueryParameter
from msgspec import Meta, Struct

from marketplace.texts import message
from marketplace.web.wrong_fields import wrong_field
from tests.conftest import ClientFor


class Body(Struct, forbid_unknown_fields=True):
    name: str


@get("/api/since")
async def since(
    since: Annotated[datetime | None, QueryParameter(name="from")] = None,
    most: Annotated[int, QueryParameter(name="limit", le=5)] = 1,
) -> int:
    return most


@post("/api/body")
async def body(data: Body) -> str:
    return data.name


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        (int, "x", "field.type"),
        (str, None, "field.type"),
        (dict[str, int], [], "field.type"),
        (Literal["a", "b"], "c", "field.choice"),
        (Annotated[str, Meta(pattern="^a$")], "b", "field.pattern"),
        (Annotated[str, Meta(max_length=1)], "bb", "field.length"),
        (Annotated[str, Meta(min_length=1)], "", "field.length"),
        (Annotated[list[int], Meta(max_length=1)], [1, 2], "field.length"),
        (Annotated[dict[str, int], Meta(max_length=0)], {"a": 1}, "field.length"),
        (tuple[int, int], [1], "field.length"),
        (Annotated[int, Meta(ge=1)], 0, "field.number"),
        (Annotated[int, Meta(lt=1)], 1, "field.number"),
        (Annotated[float, Meta(gt=0)], 0.0, "field.number"),
        (Annotated[datetime, Meta(tz=True)], "2026-01-01T00:00:00", "request.instant"),
        (datetime, "2026", "field.time"),
        (date, "1/1/2026", "field.time"),
        (UUID, "x", "field.id"),
        (Body, {}, "field.missing"),
        (Body, {"name": "a", "nam": 1}, "field.unknown"),
    ],
)
def test_each_way_to_be_wrong_has_its_text(kind: Any, value: Any, code: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, kind)
    said = str(caught.value).split(" - ", maxsplit=1)[0]
    found = wrong_field({"key": "a.b", "message": said}, {})
    assert (found["code"], found["path"]) == (code, "a.b")
    for language in ("vi", "en"):
        told = message(found["code"], found["params"], language)
        assert told.what
        assert "…" not in f"{told.what} {told.why} {told.next}"


def test_what_no_shape_fits_is_not_lost() -> None:
    found = wrong_field({"key": "x", "message": "Something «new»"}, {})
    assert "Something «new»" in message(found["code"], found["params"], "vi").why


async def test_a_field_is_called_what_the_caller_called_it(client_for: ClientFor) -> None:
    async with client_for(since, body) as client:
        instant = await client.get("/api/since?from=x", headers={"Accept-Language": "vi"})
        many = await client.get("/api/since?limit=9", headers={"Accept-Language": "en"})
        typo = await client.post("/api/body", json={"nmae": "x"})
    ((wrong,), (above,)) = (each.json()["errors"] for each in (instant, many))
    assert (wrong["path"], wrong["code"]) == ("from", "field.time")
    assert wrong["message"]["what"] == "«from» không phải là ngày giờ."
    assert (above["path"], above["message"]["why"]) == ("limit", "Bounds: <= 5.")
    assert [each["code"] for each in typo.json()["errors"]] == ["field.unknown"]
    assert "nmae" in typo.json()["errors"][0]["message"]["what"]
