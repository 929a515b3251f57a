"""Imports every model, so that `Base.metadata` is whole (migrations, tests)."""

from marketplace.accounts import models as accounts
from marketplace.agreements import models as agreements
from marketplace.audit import models as audit
from marketplace.closing import models as closing
from marketplace.consents import models as consents
from marketplace.db import models as idempotency
from marketplace.db.base import Base
from marketplace.einvoices import models as einvoices
from marketplace.finding import models as finding
from marketplace.harvest import models as harvest
from marketplace.identity import models as identity
from marketplace.invoices import models as invoices
from marketplace.ledger import models as ledger
from marketplace.linkages import models as linkages
from marketplace.listings import models as listings
from marketplace.metering import models as metering
from marketplace.offers import models as offers
from marketplace.oversight import models as oversight
from marketplace.own import models as own
from marketplace.payments import models as payments
from marketplace.payouts import models as payouts
from marketplace.publications import models as publications
from marketplace.quality import models as quality
from marketplace.queries import models as queries
from marketplace.search import models as search
from marketplace.spending import models as spending

metadata = Base.metadata
__all__ = [
    "accounts",
    "agreements",
    "audit",
    "closing",
    "consents",
    "einvoices",
    "finding",
    "harvest",
    "idempotency",
    "identity",
    "invoices",
    "ledger",
    "linkages",
    "listings",
    "metadata",
    "metering",
    "offers",
    "oversight",
    "own",
    "payments",
    "payouts",
    "publications",
    "quality",
    "queries",
    "search",
    "spending",
]
