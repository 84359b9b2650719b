"""Alarms and metrics. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bakeroll.aws.session import Clients, blocks, translated
from bakeroll.settings import Metric

if TYPE_CHECKING:
    from types_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

ALARMS_AT_MOST = 100
QUERIES_AT_MOST = 500


class CloudWatch:
    """The states of alarms and the values of metrics. The client is made on first use."""

    def __init__(self, clients: Clients, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clients = clients
        self._now = now

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        """The state of each alarm: OK, ALARM, INSUFFICIENT_DATA. An unknown alarm is left out."""
        return {name: state for block in blocks(names, ALARMS_AT_MOST) for name, state in self._states(block)}

    def samples(self, metric: Metric, ids: Sequence[str], seconds: float) -> Mapping[str, Sequence[float]]:
        """The values of the last `seconds` by instance, oldest first. Empty if nothing was measured."""
        found: dict[str, list[float]] = {each: [] for each in ids}
        end = self._now()
        for block in blocks(ids, QUERIES_AT_MOST):
            queries = {f"m{number}": each for number, each in enumerate(block)}
            for query, values in self._measured(metric, queries, end - timedelta(seconds=seconds), end):
                found[queries[query]] += values
        return found

    def _states(self, names: list[str]) -> Iterator[tuple[str, str]]:
        with translated("DescribeAlarms", ", ".join(names)):
            found = self._clients.cloudwatch.describe_alarms(
                AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=ALARMS_AT_MOST
            )
        for alarm in found.get("MetricAlarms", []):
            yield alarm["AlarmName"], alarm["StateValue"]
        for composite in found.get("CompositeAlarms", []):
            yield composite["AlarmName"], composite["StateValue"]

    def _measured(
        self, metric: Metric, queries: Mapping[str, str], start: datetime, end: datetime
    ) -> Iterator[tuple[str, list[float]]]:
        with translated("GetMetricData", f"{metric.namespace} {metric.name}"):
            pages = self._clients.cloudwatch.get_paginator("get_metric_data").paginate(
                MetricDataQueries=[_query(metric, name, each) for name, each in queries.items()],
                StartTime=start,
                EndTime=end,
                ScanBy="TimestampAscending",
            )
            for page in pages:
                yield from ((each["Id"], each["Values"]) for each in page["MetricDataResults"])


def _query(metric: Metric, name: str, instance: str) -> MetricDataQueryTypeDef:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": metric.dimension, "Value": instance}],
            },
            "Period": metric.period,
            "Stat": metric.statistic,
        },
    }
