"""What is found before a roll: a sentence a row."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bakeroll.facts import Balancer, Image, InstanceType, Launch, Quota, Room
from bakeroll.roll.foresee.findings import Finding, Intent, findings
from bakeroll.roll.foresee.preflight import Facts, Unseen, look
from bakeroll.settings import Policy
from tests.roll.fake_preflight import FACTS, LARGE, FakePreflight

NOW = datetime(2026, 6, 1, tzinfo=UTC)
GRAVITON = InstanceType("m7g.large", 2, ("arm64",), ("uefi",), needs_ena=True)
INTENT = Intent(12, Policy(), NOW)


def told(facts: Facts, intent: Intent = INTENT, level: str = "") -> list[str]:
    return [f"{each.level}: {each.text}" for each in findings(facts, intent) if level in ("", each.level)]


def test_where_nothing_is_amiss_each_check_says_what_it_found() -> None:
    assert findings(FACTS, INTENT) == (
        Finding("ok", "quota 48 of 64 vCPU"),
        Finding("ok", "subnets hold 210 addresses"),
        Finding("ok", "image ami-1 available"),
        Finding("ok", "template valid"),
        Finding("ok", "drains in 300 s of 330 s"),
        Finding("ok", "permissions"),
    )


def quota(used: int | None, limit: int = 64, *, spot: bool = False, kind: str = "m6i.large") -> Quota:
    return Quota("L-34B43A08" if spot else "L-1216C47A", (kind,), limit, used, is_spot=spot)


def image(**changes: Any) -> dict[str, Any]:
    return {"image": replace(Image("ami-1", "available", "x86_64"), **changes)}


def balancer(**changes: Any) -> dict[str, Any]:
    return {"balancers": (replace(Balancer("tg", 300, 10, 3), **changes),)}


MIXED = {"launch": Launch(("m6i.large",), on_demand=30), "quotas": (quota(0), quota(0, spot=True))}
AMISS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "the surge just fits under the quota": ({"quotas": (quota(40),)}, []),
    "the surge is one too many for the quota": (
        {"quotas": (quota(41),)},
        ["failure: quota 65 of 64 vCPU, of which the surge adds 24: raise L-1216C47A"],
    ),
    "usage is not published": (
        {"quotas": (quota(None),)},
        ["warning: quota 64 vCPU, the surge adds 24; the vCPUs in use are not known"],
    ),
    "usage is not published and the surge alone is too much": (
        {"quotas": (quota(None, 20),)},
        ["failure: quota 24 of 20 vCPU, of which the surge adds 24: raise L-1216C47A"],
    ),
    "spot has a quota of its own, and on-demand's share is rounded up": (
        MIXED | {"quotas": (quota(0, 7), quota(0, 15, spot=True))},
        [
            "failure: quota 8 of 7 vCPU, of which the surge adds 8: raise L-1216C47A",
            "failure: spot quota 16 of 15 vCPU, of which the surge adds 16: raise L-34B43A08",
        ],
    ),
    "the largest of several types counts": (
        {
            "launch": Launch(("m6i.large", "m6i.xlarge")),
            "types": (LARGE, replace(LARGE, name="m6i.xlarge", vcpus=4)),
            "quotas": (Quota("L-1216C47A", ("m6i.large", "m6i.xlarge"), 40, 0),),
        },
        ["failure: quota 48 of 40 vCPU, of which the surge adds 48: raise L-1216C47A"],
    ),
    "a family whose quota is not known": (
        {"launch": Launch(("m6i.large", "q9.large"))},
        ["warning: quota of q9.large is not known"],
    ),
    "AWS chooses the types": (
        {"launch": Launch(()), "types": (), "quotas": ()},
        ["warning: quota not checked: AWS chooses the instance types"],
    ),
    "one zone has no room for its share": (
        {"rooms": (Room("s-a", "a", 4), Room("s-b", "b", 3), Room("s-c", "c", 40))},
        ["failure: subnets hold 3 in b; the surge needs 4 addresses in each zone"],
    ),
    "two subnets of a zone count together": ({"rooms": (Room("s-1", "a", 6), Room("s-2", "a", 6))}, []),
    "a group that names no subnet": ({"rooms": ()}, []),
    "no image": (image(state=""), ["failure: image ami-1 does not exist, or is not shared with this account"]),
    "an image half made": (image(state="pending"), ["failure: image ami-1 is pending"]),
    "another architecture": (
        image(architecture="arm64"),
        ["failure: image ami-1 is for arm64, and m6i.large is x86_64"],
    ),
    "another boot mode": (
        {"types": (GRAVITON,), **image(architecture="arm64", boot_mode="legacy-bios")},
        ["failure: image ami-1 boots by legacy-bios, and m7g.large by uefi"],
    ),
    "no ENA where the type needs it": (
        image(has_ena=False),
        ["failure: image ami-1 lacks ENA, which m6i.large needs"],
    ),
    "a deprecated image": (
        image(deprecated=datetime(2026, 5, 1, tzinfo=UTC)),
        ["warning: image ami-1 is deprecated since 2026-05-01"],
    ),
    "an image that will be deprecated": (image(deprecated=datetime(2027, 5, 1, tzinfo=UTC)), []),
    "a dry run that is refused in two subnets for one reason": (
        {"trials": {"s-a": "no key", "s-b": "", "s-c": "no key"}},
        ["failure: template refused in s-a, s-c: no key"],
    ),
    "nothing to try": (
        {"trials": {}},
        ["warning: template not checked: a dry run needs a launch template"],
    ),
    "termination protection": (
        {"launch": Launch(("m6i.large",), is_protected=True)},
        ["failure: template enables termination protection: a roll could not terminate its instances"],
    ),
    "drains longer than the policy waits": (
        balancer(delay=331),
        ["failure: tg drains for 331 s, and drain_timeout is 330 s: requests would be cut"],
    ),
    "drains as long as the policy waits": (balancer(delay=330), []),
    "does not drain": (balancer(delay=0), ["warning: tg drains for 0 s: requests that run would be cut"]),
    "a slow start": (balancer(slow_start=60), ["warning: tg starts new instances slowly, for 60 s"]),
    "health checks so far apart that no instance is proved in time": (
        balancer(interval=301),
        ["failure: tg finds a new instance healthy after 301 s, and in_service_timeout is 300 s"],
    ),
    "one pass in time, all of them not": (
        balancer(interval=101),
        ["warning: tg finds an instance healthy again after 303 s, and in_service_timeout is 300 s"],
    ),
    "a classic balancer needs every pass of a new instance": (
        balancer(interval=101, first=3),
        ["failure: tg finds a new instance healthy after 303 s, and in_service_timeout is 300 s"],
    ),
    "no balancer": ({"balancers": ()}, []),
    "an alarm in ALARM, and one that is not there": (
        {"alarms": {"links-5xx": "ALARM", "cpu": "INSUFFICIENT_DATA", "typo": ""}},
        ["warning: alarm links-5xx is in ALARM", "warning: alarm typo does not exist"],
    ),
    "an instance refresh": (
        {"refresh": "InProgress"},
        ["failure: an instance refresh is in progress: InProgress"],
    ),
    "permissions that lack": (
        {"denied": ("autoscaling:AttachInstances", "dynamodb:PutItem")},
        ["failure: not permitted: autoscaling:AttachInstances, dynamodb:PutItem"],
    ),
}


@pytest.mark.parametrize("case", AMISS)
def test_what_is_amiss_is_told(case: str) -> None:
    changes, expected = AMISS[case]

    found = told(replace(FACTS, **changes))

    assert [each for each in found if not each.startswith("ok: ")] == expected


LOOKS = {
    "launch": ["quota", "template"],
    "types": ["quota", "image"],
    "quotas": ["quota"],
    "rooms": ["subnets"],
    "image": ["image"],
    "trials": ["template"],
    "balancers": ["load balancers"],
    "alarms": ["alarms"],
    "refresh": ["instance refreshes"],
    "denied": ["permissions"],
}


@pytest.mark.parametrize("forbidden", LOOKS)
def test_a_look_that_fails_is_a_warning_and_stops_no_other(forbidden: str) -> None:
    around = FakePreflight(FACTS, {forbidden: "not permitted: Describe"})

    facts = look(around)

    assert sorted(around.looks) == sorted(LOOKS)
    assert getattr(facts, forbidden) == Unseen("not permitted: Describe")
    unseen = [f"warning: {each} not checked: not permitted: Describe" for each in LOOKS[forbidden]]
    others = [each for each in told(FACTS) if not each.startswith("ok")]
    assert [each for each in told(facts) if not each.startswith("ok")] == unseen + others
    assert len(told(facts, level="ok")) >= 4


def test_where_nothing_can_be_seen_each_check_says_so_and_nothing_fails() -> None:
    facts = look(FakePreflight(FACTS, dict.fromkeys(LOOKS, "no answer")))

    found = findings(facts, INTENT)

    assert {each.level for each in found} == {"warning"}
    assert len(found) == 8
