"""What `catalog show` and `search` say of who is in a dataset."""

from __future__ import annotations

from marketplace.cli.catalog_shown import persons_said


def test_k_is_said_only_where_it_protects() -> None:
    assert persons_said("rows", 32_561, 10) == "32,561 người/persons, k=10"
    assert persons_said("dp", 20_000, 1) == "nhiều nhất/at most 20,000 người/persons, có nhiễu/with noise"
