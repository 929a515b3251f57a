"""Every tunable: from the environment, refused when wrong, told in the docs."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from marketplace.config import UNPREFIXED, Config, load, unknown

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"


def test_the_environment_sets_each_field_by_its_name() -> None:
    config = load({"SANDULIEU_PORT": "9", "SANDULIEU_HOME": "/srv/x", "DATABASE_URL": "postgresql://h/d"})
    assert (config.port, config.home, config.database_url) == (9, Path("/srv/x"), "postgresql://h/d")


def test_a_value_that_does_not_fit_is_refused_by_name() -> None:
    with pytest.raises(msgspec.ValidationError, match="SANDULIEU_PORT"):
        load({"SANDULIEU_PORT": "nine"})


def test_what_an_owners_file_may_cost_is_told_to_its_jails() -> None:
    told = {
        "SANDULIEU_INGEST_MAX_ROWS": "3",
        "SANDULIEU_INGEST_DEADLINE_MS": "5",
        "SANDULIEU_INGEST_MEMORY_BYTES": "7",
    }
    limits = load(told).ingest_limits()
    assert (limits.max_rows, limits.deadline_ms, limits.memory_bytes) == (3, 5, 7)
    with pytest.raises(msgspec.ValidationError, match="SANDULIEU_INGEST_MAX_ROWS"):
        load({"SANDULIEU_INGEST_MAX_ROWS": str(2**31)})


def test_the_tax_office_is_not_asked_without_its_certificate() -> None:
    with pytest.raises(msgspec.ValidationError, match="CERTIFICATE"):
        load({"SANDULIEU_EINVOICE_GATEWAY_URL": "https://thue.example"})


@pytest.mark.parametrize("told", ["0071000999888", "A; 1", "A; ; CTY", "A; 1; CTY; x"])
def test_an_account_that_lacks_a_part_is_no_account(told: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="bank; number; holder"):
        load({"SANDULIEU_PAY_IN_ACCOUNT": told})


def test_secrets_are_read_and_show_themselves_nowhere() -> None:
    config = load({"STRIPE_API_KEY": "sk_of_nobody", "STRIPE_WEBHOOK_SECRETS": "whsec_new, whsec_old"})
    assert config.stripe_api_key is not None
    assert config.stripe_api_key.reveal() == "sk_of_nobody"
    assert [secret.reveal() for secret in config.stripe_webhook_secrets] == ["whsec_new", "whsec_old"]
    for shown in (repr(config), str(config), f"{config}"):
        assert "sk_of" not in shown
        assert "whsec" not in shown


@pytest.mark.parametrize("name", Config.__struct_fields__)
def test_every_tunable_has_its_line_in_the_docs(name: str) -> None:
    variable = name.upper() if name in UNPREFIXED else f"SANDULIEU_{name.upper()}"
    assert f"`{variable}`" in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SANDULIEU_SANDBOX_JAILS", "0"), ("SANDULIEU_AUDIT_HOUR_UTC", "24"), ("SANDULIEU_SWEEP_INTERVAL_S", "0"),
        ("SANDULIEU_TOP_UP_LEAST_VND", "-1"), ("SANDULIEU_PORT", "65536"),
        ("SANDULIEU_PUBLIC_URL", "san.example"), ("SANDULIEU_OPA_URL", "ftp://opa"),
        ("DATABASE_URL", "mysql://x"), ("SANDULIEU_MIGRATE_URL", "x"),
    ],
)  # fmt: skip
def test_what_nothing_could_run_with_is_refused_at_start(name: str, value: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=name):
        load({name: value})


def test_names_that_are_mistyped_are_told() -> None:
    given = {"SANDULIEU_HOME": "x", "SANDULIEU_TOKEN": "x", "SANDULIEU_SANDBOX_JALS": "3", "PATH": "x"}
    assert unknown(given) == ("SANDULIEU_SANDBOX_JALS",)
