"""What instances cost, from the small dated file prices.toml. A price that is not in the file is not known.

AWS prices the sizes of a family in proportion, so the file holds one size per family. AWS rounds to four decimals.
"""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("prices.toml")

LARGES = {"nano": 1 / 16, "micro": 1 / 8, "small": 1 / 4, "medium": 1 / 2, "large": 1.0, "xlarge": 2.0}
"""The price of each size relative to `large`. An Nxlarge costs N xlarge. A metal size has its own price."""


@dataclass(frozen=True, slots=True)
class Price:
    """An on-demand amount without tax, as of a date."""

    usd: float
    dated: date

    def __str__(self) -> str:
        return f"${self.usd:.2f}" if self.usd >= 0.01 or not self.usd else "less than $0.01"


def price(instance_type: str, region: str, hours: float) -> Price | None:
    """The cost of an instance for `hours`. None if its price is not known.

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
    """The hourly price of the size `large`, by region and family."""
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))["prices"]
    return {
        (table["region"], family): Price(usd, table["dated"])
        for table in tables
        for family, usd in table["large"].items()
    }
