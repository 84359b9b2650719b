"""What instances cost, from the small dated file beside this one (prices.toml); what is not in it is unknown.

AWS prices the sizes of a family in proportion, so that the file holds one size of each; it rounds to four decimals.
"""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("prices.toml")

LARGES = {"nano": 1 / 16, "micro": 1 / 8, "small": 1 / 4, "medium": 1 / 2, "large": 1.0, "xlarge": 2.0}
"""How many of the size `large` a size is; an Nxlarge is N xlarge. A metal has a price of its own."""


@dataclass(frozen=True, slots=True)
class Price:
    """An amount, on demand and without tax, as of a day."""

    usd: float
    dated: date

    def __str__(self) -> str:
        return f"${self.usd:.2f}" if self.usd >= 0.01 or not self.usd else "less than $0.01"


def price(instance_type: str, region: str, hours: float) -> Price | None:
    """What so many hours of an instance cost; None where its price is not known.

    >>> str(price("m6i.large", "eu-west-1", 12))
    '$1.28'
    """
    family, _, size = instance_type.partition(".")
    large, larges = _larges().get((region, family)), _larges_of(size)
    if large is None or larges is None:
        return None
    return Price(large.usd * larges * hours, large.dated)


def _larges_of(size: str) -> float | None:
    if found := re.fullmatch(r"([1-9][0-9]*)xlarge", size):
        return int(found[1]) * LARGES["xlarge"]
    return LARGES.get(size)


@cache
def _larges() -> dict[tuple[str, str], Price]:
    """The price of an hour of each region's and family's `large`."""
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))["prices"]
    return {
        (table["region"], family): Price(usd, table["dated"])
        for table in tables
        for family, usd in table["large"].items()
    }
