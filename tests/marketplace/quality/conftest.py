"""What an owner publishes with, as the tests of listings have it."""

from tests.marketplace.listings.conftest import press, shop

__all__ = ["press", "shop"]
