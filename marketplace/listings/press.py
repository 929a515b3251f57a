"""What publishing needs of the service."""

from __future__ import annotations

from msgspec import Struct

from catalog.storage import Store
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from policies.engine import Engine


class Press(Struct, frozen=True, kw_only=True):
    """What publishing needs of the service."""

    config: Config
    database: Database
    store: Store
    keys: Keys
    engine: Engine


def provide_press(config: Config, database: Database, store: Store, keys: Keys, engine: Engine) -> Press:
    """Litestar dependency `press`."""
    return Press(config=config, database=database, store=store, keys=keys, engine=engine)
