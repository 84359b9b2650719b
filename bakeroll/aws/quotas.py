"""How many vCPUs may run, and how many do.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances.html
Families of instance types share a few quotas, each with a second one for spot. The usage comes from the metric that a
quota names, with one query for all quotas. Counting instances would take a call per thousand.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bakeroll.aws.session import permitted
from bakeroll.facts import Quota

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef
    from types_boto3_service_quotas import ServiceQuotasClient
    from types_boto3_service_quotas.type_defs import MetricInfoTypeDef

ON_DEMAND = {
    **dict.fromkeys(("a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"), "L-1216C47A"),
    **dict.fromkeys(("g", "gr", "vt"), "L-DB2E81BA"),
    "dl": "L-6E869C2A",
    "f": "L-74FC7D96",
    "hpc": "L-F7808C92",
    "inf": "L-1945791B",
    "p": "L-417A185B",
    "trn": "L-2C3B7624",
    "u": "L-43DA4232",
    "x": "L-7295265B",
}
"""By the letters at the beginning of a type. A mac runs on a dedicated host, which has its own quota."""

SPOT = {
    "L-1216C47A": "L-34B43A08",
    "L-DB2E81BA": "L-3819A6DF",
    "L-6E869C2A": "L-85EED4F7",
    "L-74FC7D96": "L-88CF9481",
    "L-1945791B": "L-B5D1601B",
    "L-417A185B": "L-7212CCBC",
    "L-2C3B7624": "L-6B0D517C",
    "L-7295265B": "L-E3A00192",
}
"""By the on-demand quota of the same families."""

USAGE_PERIOD = timedelta(minutes=5)
USAGE_AGE = timedelta(minutes=30)
"""AWS publishes usage every few minutes. An older value says nothing about now."""


class Quotas:
    """The vCPU quotas of the account and region."""

    def __init__(self, quotas: ServiceQuotasClient, cloudwatch: CloudWatchClient, now: Callable[[], datetime]) -> None:
        self._quotas, self._cloudwatch, self._now = quotas, cloudwatch, now

    def of(self, types: Sequence[str], *, markets: Sequence[bool]) -> Sequence[Quota]:
        """The quotas of these types, on demand (False) and spot (True). Types without a known quota are left out."""
        found = [
            (code, tuple(names), is_spot) for is_spot in markets for code, names in by_code(types, spot=is_spot).items()
        ]
        limits, metrics = {}, {}
        for code, _, _ in found:
            with permitted("GetServiceQuota", code):
                quota = self._quotas.get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]
            limits[code] = int(quota["Value"])
            if metric := quota.get("UsageMetric"):
                metrics[code] = metric
        used = self._usage(metrics)
        return [Quota(code, names, limits[code], used.get(code), is_spot) for code, names, is_spot in found]

    def _usage(self, metrics: Mapping[str, MetricInfoTypeDef]) -> Mapping[str, int]:
        if not metrics:
            return {}
        now, codes = self._now(), list(metrics)
        with permitted("GetMetricData"):
            results = self._cloudwatch.get_metric_data(
                MetricDataQueries=[_query(f"q{at}", metrics[code]) for at, code in enumerate(codes)],
                StartTime=now - USAGE_AGE,
                EndTime=now,
                ScanBy="TimestampDescending",
            )["MetricDataResults"]
        return {codes[int(each["Id"][1:])]: int(each["Values"][0]) for each in results if each.get("Values")}


def by_code(types: Sequence[str], *, spot: bool) -> Mapping[str, Sequence[str]]:
    """The types that share a quota, by the quota's code.

    >>> by_code(["m6i.large", "t3.micro", "g5.xlarge", "u7i-12tb.224xlarge"], spot=True)
    {'L-34B43A08': ['m6i.large', 't3.micro'], 'L-3819A6DF': ['g5.xlarge']}
    """
    found: dict[str, list[str]] = defaultdict(list)
    for name in types:
        letters = re.match("[a-z]*", name)
        code = ON_DEMAND.get(letters[0] if letters else "", "")
        if code := SPOT.get(code, "") if spot else code:
            found[code].append(name)
    return dict(found)


def _query(identifier: str, metric: MetricInfoTypeDef) -> MetricDataQueryTypeDef:
    dimensions = metric.get("MetricDimensions", {})
    return {
        "Id": identifier,
        "MetricStat": {
            "Metric": {
                "Namespace": metric.get("MetricNamespace", ""),
                "MetricName": metric.get("MetricName", ""),
                "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            },
            "Period": int(USAGE_PERIOD.total_seconds()),
            "Stat": metric.get("MetricStatisticRecommendation", "Maximum"),
        },
    }
