"""What a roll's instances cost, from the dated file."""

import tomllib
from datetime import date

import pytest

from bakeroll.roll.foresee.prices import FILE, Price, price

LISTED = {
    ("us-east-1", "t3.nano"): 0.0052,
    ("us-east-1", "t3.medium"): 0.0416,
    ("us-east-1", "t3.2xlarge"): 0.3328,
    ("us-east-1", "m6i.32xlarge"): 6.144,
    ("us-east-1", "c5.18xlarge"): 3.06,
    ("us-east-1", "c7g.medium"): 0.0363,
    ("us-east-1", "c7i.48xlarge"): 8.568,
    ("us-east-1", "r7g.medium"): 0.0536,
    ("eu-west-1", "t3.micro"): 0.0114,
    ("eu-west-1", "m6i.24xlarge"): 5.136,
    ("eu-west-1", "m6g.16xlarge"): 2.752,
    ("eu-west-1", "m7g.4xlarge"): 0.7276,
    ("eu-west-1", "r6i.32xlarge"): 9.024,
}
"""What AWS's list says of other sizes than the file holds."""


@pytest.mark.parametrize(("region", "kind"), LISTED)
def test_the_sizes_of_a_family_cost_in_proportion(region: str, kind: str) -> None:
    found = price(kind, region, 1)

    assert found
    assert found.usd == pytest.approx(LISTED[region, kind], abs=0.00006)  # AWS rounds to four decimals


def test_hours_are_multiplied_and_the_day_of_the_price_is_told() -> None:
    assert price("m5.large", "us-east-1", 2) == Price(0.192, date(2026, 1, 19))


@pytest.mark.parametrize(
    "kind", ["m5.metal", "m7i.metal-24xl", "m5a.large", "c7i-flex.large", "m5.0xlarge", "m5", "", "m5.huge"]
)
def test_what_the_file_does_not_hold_is_unknown(kind: str) -> None:
    assert price(kind, "us-east-1", 1) is None


def test_a_region_that_the_file_does_not_hold_is_unknown() -> None:
    assert price("m5.large", "eu-central-1", 1) is None


@pytest.mark.parametrize(
    ("usd", "said"), [(0.0, "$0.00"), (0.004, "less than $0.01"), (0.07, "$0.07"), (12.346, "$12.35")]
)
def test_a_price_is_told_in_dollars_and_cents(usd: float, said: str) -> None:
    assert str(Price(usd, date(2026, 1, 19))) == said


def test_every_price_says_when_it_was_and_who_said_so() -> None:
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))["prices"]

    assert all(isinstance(each["dated"], date) and each["source"] and each["large"] for each in tables)
    named = [(each["region"], family) for each in tables for family in each["large"]]
    assert len(named) == len(set(named))
