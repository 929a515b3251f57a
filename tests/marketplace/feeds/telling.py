"""A described dataset that no database knows, as the writers get it."""

from __future__ import annotations

from datetime import UTC, datetime

from catalog.metadata.described import Described, Party, Price, Site
from tests.marketplace.listed import version

SITE = Site(url="https://san.example")
HOSTILE = '</script><b>"\'\\\n\t\r\x00\x0b\u202e&amp; ]]> <!-- "@en . <urn:x> a <urn:y> {{ x }} ${y}'
"""Of every language that a writer speaks, what would end a text in it; and a right-to-left mark."""


def tell(n: int = 1, *, hostile: str = "") -> Described:
    """With `hostile` in every text that an owner writes."""
    party = Party(id=f"01234567-89ab-7def-8123-0000000000{n:02}", slug="cuc-thong-ke", name=f"Cục {hostile}")
    slug = f"dan_so_{n}"
    return Described(
        id=f"01234567-89ab-7def-8123-1111111111{n:02}",
        slug=slug,
        title_vi=f"Dân số {hostile}",
        title_en=f"People {hostile}",
        description_vi=hostile,
        description_en="",
        owner=party,
        licence=hostile or "CC BY 4.0",
        themes=("dân số", *([hostile] if hostile else [])),
        spatial=hostile or "VN-HN",
        temporal=hostile or "2024..2025",
        update_frequency=hostile or "yearly",
        version=version(slug),
        number=2,
        first_released_at=datetime(2026, 1, 1, tzinfo=UTC),
        released_at=datetime(2026, 2, 1, 8, 30, tzinfo=UTC),
        has_sample=True,
        sample=({"sex": "=1+1", "education": f'H"S,{hostile}'}, {"sex": None, "education": 3}),
        price=Price(per_query_micro=1_000_500_000, per_gb_micro=0, month_vnd=0),
    )
