"""Every tunable, its unit in its name, its safe default, one place. Environment: SANDULIEU_<NAME>.

Without prefix are `DATABASE_URL`, which hosting platforms set, and Stripe's two secrets, under Stripe's own names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from catalog.limits import IngestLimits

UNPREFIXED = ("database_url", "stripe_api_key", "stripe_webhook_secrets")
LISTS = ("stripe_webhook_secrets", "bank_holidays")
ELSEWHERE = frozenset({"SANDULIEU_URL", "SANDULIEU_TOKEN", "SANDULIEU_FAULT"})
"""Of the commands that talk to a service, and of the tests."""
URLS = ("public_url", "opa_url", "oidc_issuer", "stripe_api_url", "einvoice_gateway_url")
Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]


def default_home() -> Path:
    """$XDG_DATA_HOME/sandulieu, else ~/.local/share/sandulieu."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "sandulieu"


class Secret:
    """A text that shows itself nowhere: not in a log, not in a traceback, not in a dump of the configuration."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret()"

    def reveal(self) -> str:
        """The text itself, for whoever it is to be shown to."""
        return self._text


class Config(msgspec.Struct, frozen=True, kw_only=True):
    home: Path = msgspec.field(default_factory=default_home)
    database_url: str | None = None
    """None: embedded PostgreSQL under home/postgres. Else postgresql://…"""
    migrate_url: str | None = None
    """The role that owns the tables and runs migrations; None: `database_url` itself may."""
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8080
    public_url: str | None = None
    """Where browsers reach the service; https here makes the session cookie Secure."""
    proxy_addresses: str = "127.0.0.1"
    """With commas between, networks too: proxies that are believed for whom they ask (X-Forwarded-For, -Proto)."""
    opa_url: str | None = None
    """None: policy.wasm in process. Else a real OPA server."""
    opa_timeout_ms: Positive = 500
    opa_verification_key: Path | None = None
    """File of the public key that its bundle is signed with; None: home/keys/policy-signing.pub.pem."""
    policy_max_age_s: NotNegative = 30 * 86_400
    clock_back_max_ms: int = 2_000
    """How far the clock may stand behind the newest event of the log, or go back, before queries are refused.
    Below zero it has to be ahead of it, which refuses more, never less."""
    database_pool_connections: Positive = 12
    sandbox_jails: Positive = 2
    sandbox_threads: Positive = 2
    sandbox_queue_queries: NotNegative = 64
    """That may wait, of one tenant alone; several tenants divide it, and each may always have one."""
    sandbox_wait_max_s: NotNegative = 60
    """No longer than a decision stands (policies/data/limits.json): nobody decides again while a query waits."""
    tenant_running_queries: NotNegative = 16
    tenant_memory_bytes: Positive = 16 * 1024 * 1024 * 1024
    tenant_event_readers: NotNegative = 32
    tenant_fetches: NotNegative = 32
    """Answers of one tenant on their way out at once, in one process."""
    tenant_free_points_per_minute: Positive = 1_200
    """What each tenant may have without paying, in each process: 1 for a page, 10 for a question of up to 2,000
    characters and as many for each 2,000 more, 40 for what is written for good. What was paid for gives back."""
    tenant_free_points_at_once: Positive = 6_000
    address_free_points_per_minute: Positive = 600
    """The same of each address (of IPv6: /64) from which nobody who is known asks."""
    address_free_points_at_once: Positive = 2_400
    connections_max: Positive = 1_000
    """Open at once, in one process; where one more comes, the one that kept us waiting longest goes."""
    address_connections_max: Positive = 200
    """The same of each address (of IPv6: /64), but those of `proxy_addresses`, behind which are many; of these,
    requests at once of each address for which they ask."""
    bodies_max_bytes: Positive = 256 * 1024 * 1024
    """What requests on their way in hold in one process beyond the first 64 KiB of each body. Who holds as much as
    is free gets no more: one address alone at most half."""
    request_head_max_bytes: Positive = 64 * 1024
    """Of what comes of a request before, between and behind the pieces of its body."""
    request_head_max_s: Positive = 20
    """From its first byte, or from when the connection is made, until a request's head is whole."""
    client_stall_max_s: Positive = 30
    """That a client may keep us waiting for its body, or with its answer, beyond the next line."""
    client_least_bytes_per_s: Positive = 500
    free_payers_max: Positive = 50_000
    """Of whom points are counted at once, in each process; addresses beyond them share those of one."""
    questions_at_once: Positive = 4
    """Short quotes, dry runs and explanations worked on at once, in one process; of more, tenants take turns."""
    tenant_exports: NotNegative = 2
    """Exports of the log on their way to one tenant at once, in one process."""
    tenant_alone_after_s: NotNegative = 60
    """A tenant may hold every jail while no other has asked for so long."""
    sandbox_deadline_ms: Positive = 30_000
    sandbox_memory_bytes: Positive = 1024 * 1024 * 1024
    result_max_rows: NotNegative = 10_000
    result_max_bytes: NotNegative = 16 * 1024 * 1024
    rows_cap_multiple: NotNegative = 10
    """Rows mode: an agreement may take out this many times the version's rows."""
    dp_rho_micro: NotNegative = 10_000
    """What a query in dp mode spends of its agreement's privacy budget if it does not say, in millionths of ρ."""
    dp_rho_least_micro: NotNegative = 1_000
    """The least that a query in dp mode may spend: how it ends tells a bit, whatever its noise."""
    dp_release_grid_ms: Positive = 250
    """Answers in dp mode are ready only at multiples of this, counted from when the query entered."""
    result_lifetime_s: NotNegative = 7 * 86_400
    quote_lifetime_s: NotNegative = 900
    hold_lifetime_s: NotNegative = 600
    sql_max_bytes: NotNegative = 64 * 1024
    own_table_max_bytes: NotNegative = 100 * 1024 * 1024
    """Of a startup's own table, as sent and as kept."""
    own_table_max_rows: NotNegative = 5_000_000
    own_table_deadline_ms: Positive = 120_000
    own_table_wait_max_s: NotNegative = 300
    """For its turn to be read."""
    tenant_table_uploads: NotNegative = 2
    """Own tables of one organisation on their way in at once, in one process."""
    own_tables_suspended_days: NotNegative = 30
    """An organisation suspended for so long is taken to be so for good: its own tables are removed."""
    own_tables_max_count: NotNegative = 20
    """Of one organisation."""
    own_tables_max_bytes: NotNegative = 1024 * 1024 * 1024
    """Of one organisation, as kept."""
    upload_max_bytes: NotNegative = 8 * 1024 * 1024 * 1024
    version_worn_permille: NotNegative = 200
    """Of a version's cohorts: with so many gone it should be published anew."""
    consents_file_max_bytes: NotNegative = 1024 * 1024 * 1024
    consents_file_max_lines: NotNegative = 5_000_000
    ingest_deadline_ms: Positive = 600_000
    ingest_memory_bytes: Positive = 4 * 1024 * 1024 * 1024
    ingest_max_rows: Annotated[int, Meta(ge=1, le=2_000_000_000)] = 50_000_000
    """Of one owner's file; persons are numbered in 32 bits."""
    session_lifetime_s: NotNegative = 12 * 3600
    token_lifetime_s: NotNegative = 90 * 86_400
    login_attempts_per_window: NotNegative = 10
    """Failed ones, of an address, and of a browser that the account has signed in from."""
    login_account_attempts_per_window: NotNegative = 100
    """Of an account by everybody else: NIST SP 800-63B allows a hundred."""
    login_window_s: NotNegative = 900
    device_lifetime_s: NotNegative = 180 * 86_400
    """How long a browser is known as one that an account has signed in from."""
    oidc_issuer: str | None = None
    """Where data subjects sign in (VNeID in production); None: nobody can."""
    oidc_client_id: str = "sandulieu"
    oidc_client_secret_file: Path | None = None
    """Mode 0600; None: a public client, which PKCE alone protects."""
    oidc_scope: str = "openid"
    oidc_subject_claim: str = "citizen_id"
    """The claim whose value is the subject key of the datasets."""
    oidc_timeout_ms: Positive = 5_000
    oidc_metadata_lifetime_s: NotNegative = 3_600
    subject_session_lifetime_s: NotNegative = 900
    subject_token_lifetime_s: NotNegative = 900
    subject_sign_ins_per_window: NotNegative = 20
    subject_requests_per_window: NotNegative = 120
    subject_window_s: NotNegative = 300
    subject_usage_refresh_s: NotNegative = 900
    """Use is told up to the last full step of this length, so that nobody watches a rival's query arrive."""
    subject_sector_min_companies: NotNegative = 3
    """A sector with fewer startups is told as "a company": else it would name one."""
    stripe_api_key: Secret | None = None
    """STRIPE_API_KEY; None: no cards, only bank transfers and the operator's credit."""
    stripe_webhook_secrets: tuple[Secret, ...] = ()
    """STRIPE_WEBHOOK_SECRETS, with commas between: while one is replaced, both are valid."""
    stripe_api_url: str = "https://api.stripe.com"
    stripe_timeout_ms: Positive = 10_000
    webhook_tolerance_s: NotNegative = 300
    """How far the instant at which a webhook was signed may lie from now."""
    usd_rates_vnd: str = ""
    """Dated: `2026-01-01=25400,2026-10-01=25950`, đồng for a dollar from that day on; empty: no top-ups in USD."""
    pay_in_account: str = ""
    """`bank; number; holder`: where bank transfers go to; empty: payers are told to ask the operator."""
    top_up_least_vnd: NotNegative = 20_000
    payments_interval_ms: Positive = 1_000
    """How often wallets are looked at for their auto top-up, and what was begun at Stripe for its end."""
    payout_least_vnd: NotNegative = 50_000
    """An owner with less waits for the next month."""
    payout_answer_days: Annotated[int, Meta(ge=0, le=366)] = 3
    """Banking days after a payout's release by which it is known what became of it; then it is a difference."""
    bank_holidays: tuple[date, ...] = ()
    """More days from Monday to Friday on which banks do not work, `2027-02-05,2027-02-08`."""
    seller_address: str = ""
    """Of whoever runs the exchange, as e-invoices say it."""
    einvoice_seller_key: Path | None = None
    """PEM of the seller's private key and accredited certificate; None: one that this home signed itself."""
    einvoice_gateway_url: str | None = None
    """Where the tax office is asked for codes; None: e-invoices are signed, and wait."""
    einvoice_gateway_certificate: Path | None = None
    """PEM of the certificate that its answers are signed under; asked for with the URL."""
    einvoice_timeout_ms: Positive = 10_000
    einvoice_retry_after_s: NotNegative = 60
    """After an attempt that settled nothing; doubled each time, up to 128 times as long."""
    invoice_close_after_s: NotNegative = 3_600
    """After a month's end, so that whatever was asked in it is settled before it is billed."""
    log_origin: str = "sandulieu.local/log"
    log_store_file: Path | None = None
    """TOML, mode 0600, as `sources.description` has it: an S3-speaking store that the log is published in; None: a
    folder of the home."""
    log_store_timeout_ms: Positive = 10_000
    sequencer_interval_ms: Positive = 100
    search_interval_ms: Positive = 1_000
    """How often full blocks of the log are looked for, to be indexed for search."""
    word_count_interval_s: Positive = 600
    """How often it is counted in how many listings each word stands, by which a search weighs it; and how often
    datasets are looked for that are not in the index."""
    witnesses_file: Path | None = None
    """One `KEY URL` a line: outside witnesses that are asked to cosign the log's checkpoints; None: nobody is."""
    witness_interval_s: Positive = 10
    witness_timeout_ms: Positive = 5_000
    audit_hour_utc: Annotated[int, Meta(ge=0, le=23)] = 18
    """When the nightly audit is due; 18 is one o'clock at night in Hà Nội."""
    audit_late_h: Positive = 30
    """So long after the last audit of the log regulator and operator are alerted that there was none."""
    publication_interval_ms: Positive = 1_000
    """How often publications are looked at for what the exchange has to do about them."""
    sweep_interval_s: Positive = 30
    harvest_allowed_hosts: str = ""
    """With commas between: hosts of other catalogues that may be asked though they are not public."""
    harvest_pause_ms: NotNegative = 1_000
    """Between two requests to another catalogue; a longer one that its robots.txt asks for counts."""
    harvest_timeout_s: Positive = 60
    harvest_max_bytes: NotNegative = 64 * 1024 * 1024
    """Of one document of another catalogue, unpacked."""
    harvest_max_listings: NotNegative = 1_000_000
    """Of one source."""
    harvest_retry_after_max_s: NotNegative = 300
    """A server that asks to be left alone for longer ends the run, which goes on then."""
    harvest_run_max_s: Positive = 4 * 3600
    """Of one look at one source, which the others wait for."""
    charge_interval_s: Positive = 60
    quality_interval_s: Positive = 60
    """How often listed versions are looked at: not seen yet, overdue, or with a promise that does not hold."""

    def ingest_limits(self) -> IngestLimits:
        """Of each jail in which an owner's file is read or made a version of."""
        return IngestLimits(
            deadline_ms=self.ingest_deadline_ms, memory_bytes=self.ingest_memory_bytes,
            max_rows=self.ingest_max_rows,
        )  # fmt: skip

    def path(self, *names: str) -> Path:
        """A folder or file below home."""
        return self.home.joinpath(*names)


def load(environ: Mapping[str, str] | None = None) -> Config:
    """Config from the environment. Raises msgspec.ValidationError naming the variable that is wrong."""
    env = os.environ if environ is None else environ
    raw: dict[str, Any] = {}
    for name in Config.__struct_fields__:
        key = _variable(name)
        if env.get(key):
            raw[name] = [each.strip() for each in env[key].split(",")] if name in LISTS else env[key]
    try:
        config = msgspec.convert(raw, Config, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as e:
        told = re.sub(r" - at `\$\.(\w+).*`$", lambda at: f": {_variable(at[1])}", str(e))
        raise msgspec.ValidationError(told) from e
    for name in URLS:
        _require_address(name, getattr(config, name), ("http", "https"))
    _require_address("database_url", config.database_url, ("postgresql", "postgres"), host=False)
    _require_address("migrate_url", config.migrate_url, ("postgresql", "postgres"), host=False)
    if (config.einvoice_gateway_url is None) != (config.einvoice_gateway_certificate is None):
        raise msgspec.ValidationError("SANDULIEU_EINVOICE_GATEWAY_URL and _CERTIFICATE go together")
    if config.pay_in_account and [bool(each.strip()) for each in config.pay_in_account.split(";")] != [True] * 3:
        raise msgspec.ValidationError("SANDULIEU_PAY_IN_ACCOUNT is `bank; number; holder`")
    return config


def unknown(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Variables that look like settings and are none: a name that is mistyped would change nothing, unseen."""
    known = ELSEWHERE | {_variable(name) for name in Config.__struct_fields__}
    return tuple(sorted(name for name in environ if name.startswith("SANDULIEU_") and name not in known))


def _variable(name: str) -> str:
    return name.upper() if name in UNPREFIXED else f"SANDULIEU_{name.upper()}"


def _require_address(name: str, url: str | None, schemes: tuple[str, ...], *, host: bool = True) -> None:
    if url is None:
        return
    parts = urlsplit(url)
    if parts.scheme not in schemes or (host and not parts.hostname):
        # What was given is not repeated: it may hold a password.
        raise msgspec.ValidationError(f"{schemes[0]}://… is expected: {_variable(name)}")


def _decode(kind: type, value: object) -> object:
    if kind is Secret:
        return Secret(str(value).strip())
    return Path(str(value)) if kind is Path else value
