"""Saved ways to pay: forgotten here and at the provider, or seen to on the provider's own page."""

from __future__ import annotations

from sqlalchemy import update

from marketplace.accounts.callers import StartupAdmin
from marketplace.audit.actions import record
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.payments.accounts import lock_account
from marketplace.payments.customers import customer_known, ensure_customer
from marketplace.payments.models import SavedMethod
from marketplace.payments.provider import Provider
from marketplace.payments.topups import public_url, require_method


async def remove_method(database: Database, provider: Provider, *, by: StartupAdmin, method_id: str) -> None:
    """Raises NoSuchMethod, ProviderUnavailable: then it is still there, and can be removed again."""
    async with database.reading() as session:
        await require_method(session, by.organisation_id, method_id)
    await provider.forget_method(method_id)
    async with database.session() as session:
        account = await lock_account(session, by.organisation_id)
        gone = update(SavedMethod).where(SavedMethod.id == method_id, SavedMethod.removed_at.is_(None))
        made = await session.execute(gone.values(removed_at=utcnow()).returning(SavedMethod.id))
        if account.auto_method_id == method_id:
            account.auto_paused = "method_removed"
        if made.first() is None:
            return
        await record(
            session,
            "method:remove",
            by=by,
            parties=(by.organisation_id,),
            body={"method": method_id},
        )


async def portal_link(database: Database, provider: Provider, config: Config, *, by: StartupAdmin) -> str:
    """Where the startup sees its methods at the provider. Raises ProviderUnavailable, ProviderRefused."""
    customer_id = await ensure_customer(database, provider, by.organisation_id)
    async with customer_known(database, provider, by.organisation_id, customer_id):
        return await provider.portal_link(customer_id=customer_id, return_url=f"{public_url(config)}/wallet")
