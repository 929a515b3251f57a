"""What the page about the API says is what the API does."""

from __future__ import annotations

import html
import json
import re
import uuid

from tests.market import Market


def _page(market: Market) -> str:
    return market.client(None).get("/help/api", accept="text/html").body.decode()


def test_it_lists_what_the_openapi_document_describes(market: Market) -> None:
    document = market.client(None).get("/schema/openapi.json").json()
    described = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert set(re.findall(r'<th scope="row" class="code wrap"[^>]*>([^<]+)</th>', _page(market))) == described


def test_its_first_question_is_priced_runs_and_is_paid_once(market: Market) -> None:
    found = re.search(r"<pre>(.*?)</pre>", _page(market), re.DOTALL)
    assert found is not None
    first = html.unescape(found[1])
    asked = re.search(r"ASK='(.*)'$", first, re.MULTILINE)
    assert asked is not None
    body = json.loads(asked[1].replace("'$AGREEMENT'", market.agreements["adult"]))
    paths = re.findall(rf"curl {re.escape(market.url)}(/\S+)", first)
    client, key = market.client("startup"), str(uuid.uuid4())
    price = client.post(paths[0], body).json()["quote_vnd"]
    before = market.balance()["available_vnd"]
    once, again = (client.post(paths[1], body | {"wait_s": 30}, idempotency_key=key).json() for _ in range(2))
    assert (once["id"], once["charged_vnd"]) == (again["id"], price)
    assert market.balance()["available_vnd"] == before - price
    result, receipt = (path.replace("$QUERY", once["id"]) for path in paths[2:])
    assert client.get(result, accept="text/csv").body.decode().splitlines()[1:] == ["32561"]
    while (proved := client.get(receipt)).status == 404:  # the log has not given it its leaf yet
        assert proved.json()["code"] == "receipt.pending"
    assert proved.status == 200
