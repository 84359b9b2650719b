"""Every strategy and every kind of fleet, four instances to four, on real machines under a real load.

No request fails, the floor holds, and all ends as it was found but for the release: also where the roller is killed
again and again, and where the cloud goes wrong.

Each run kills the roller at other moments. One that fails prints the seed that they came from, and with
BAKEROLL_KILL_SEED set to it, the roller is killed at the same moments again.
"""

import os
import random
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from local_cloud.client import faults as fault_client
from local_cloud.config import Config, from_environment
from tests.road.conftest import LOCAL, NEW, OLD, Ended, Repository
from tests.road.fleets import KINDS, SIZE, Maker
from tests.road.watch import Aws, Watch, eventually, launches

pytestmark = pytest.mark.machine

STRATEGIES = ("surge", "rolling", "canary", "blue-green", "refresh")
KILLS = 10
POLICY = {
    "in_service_timeout": 20,
    "healthy_checks": 2,
    "canary": {"watch": 2, "interval": 0.5, "checks": [{"http": "/health"}]},
    "refresh": {"warmup": 0},
}


@dataclass(frozen=True)
class Found:
    """What a roll leaves as it found it. `versions` are those of the launch template."""

    sizes: tuple[int, int, int]
    suspended: frozenset[str]
    versions: frozenset[str]


@dataclass(frozen=True)
class Fleet:
    """A fleet in an environment of its own; `target_group` is an ARN, or the classic load balancer's name."""

    name: str
    repository: Repository
    target_group: str
    is_network: bool = False

    @property
    def aws(self) -> Aws:
        return Aws(self.repository.environment)

    def roll(self, version: str, **policy: Any) -> Ended:
        self.told(policy)
        return self.repository.fab("roll", f"--version={version}")

    def told(self, policy: Mapping[str, Any]) -> None:
        self.repository.settle(policy={**POLICY, **policy})

    def serves(self) -> str:
        version: str = self.repository.status()["release"]["version"]
        return version

    def found(self) -> Found:
        (group,) = self.aws.groups(self.name)
        return Found(
            (group["MinSize"], group["DesiredCapacity"], group["MaxSize"]),
            frozenset(each["ProcessName"] for each in group["SuspendedProcesses"]),
            frozenset(self.aws.versions(group)),
        )

    @contextmanager
    def under_load(self, floor: int = SIZE) -> Iterator[dict[str, Any]]:
        """For the block, no request may fail and so many have to be in service.

        A connection through a network load balancer is its instance's: one that is kept alive ends with that.
        """
        load_on = self.repository.load(280, without="keep-alive" if self.is_network else "")
        with Watch(self.aws, self.target_group) as watch, load_on as load:
            yield load
        assert load["failed"] == 0, load["first_failures"]
        assert load["answered"] > 100
        assert watch.lowest >= floor, watch.seen

    def ended(self, version: str, before: Found, rolls: int = 1) -> None:
        """It serves the version, and nothing else is left of the rolls but a template version of each."""
        aws = self.aws
        eventually(lambda: len(aws.groups(self.name)) == 1)
        (group,), after = aws.groups(self.name), self.found()
        assert (after.sizes, after.suspended) == (before.sizes, before.suspended)
        assert len(after.versions - before.versions) <= rolls
        assert launches(group) in after.versions
        members = {each["InstanceId"] for each in group["Instances"] if each["LifecycleState"] == "InService"}
        assert len(members) == SIZE
        eventually(lambda: aws.alive(self.name) == members)
        assert aws.in_service(self.target_group) == SIZE
        served, instances = self.repository.served()
        assert set(served) == {version}
        assert set(instances) == members


@pytest.fixture
def four(baked: Repository) -> Iterator[Fleet]:
    """The fleet of four behind an application load balancer; whatever the test did to the cloud has an end."""
    aws = Aws(baked.environment)
    arn = aws.elbv2.describe_target_groups(Names=["links-four"])["TargetGroups"][0]["TargetGroupArn"]
    yield Fleet("links-four", baked, arn)
    fault_client.clear(_config(baked))


def _config(repository: Repository) -> Config:
    return from_environment(repository.environment)


def other(version: str) -> str:
    return NEW if version == OLD else OLD


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_strategy_fails_no_request_and_keeps_the_floor_however_often_its_roller_is_killed(
    four: Fleet, strategy: str
) -> None:
    before, seed = four.found(), _seed()
    moments = _moments(seed)
    print(
        f"Killed after {', '.join(f'{each:.2f}' for each in moments)} s. Again: "
        f'BAKEROLL_KILL_SEED={seed} scripts/test tests/road -k "roller_is_killed and {strategy}"'
    )
    goal = other(four.serves())

    with four.under_load():
        ended = four.roll(goal, strategy=strategy, max_surge="50%")
        assert ended.code == 0, ended.said
        goal, ends = _killed(four, other(goal), moments)
        ended = four.repository.fab("roll", f"--version={goal}")
        assert ended.code == 0, ended.said

    four.ended(goal, before, rolls=1 + ends + 1)


def _seed() -> int:
    return int(os.environ.get("BAKEROLL_KILL_SEED") or random.randrange(10**6))  # noqa: S311 (no secret)


def _moments(seed: int) -> list[float]:
    """Seconds from the start of `fab`, of which it takes most of one to begin."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    return [chance.uniform(0.6, 3.0) for _ in range(KILLS)]


def _killed(fleet: Fleet, goal: str, moments: Sequence[float]) -> tuple[str, int]:
    """Roll, be killed and go on; where a roll ends before its kill, the next one goes the other way.

    Where the last one goes, and how many ended.
    """
    ends = 0
    for moment in moments:
        while _has_ended(fleet, goal, moment):
            goal, ends = other(goal), ends + 1
    return goal, ends


def _has_ended(fleet: Fleet, goal: str, seconds: float) -> bool:
    """Whether a roll ended well in this time; else it is killed."""
    process = fleet.repository.start("roll", f"--version={goal}")
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return False
    assert process.returncode == 0, said
    return True


@pytest.mark.parametrize("strategy", ["surge", "blue-green"])
def test_within_the_soak_a_rollback_launches_nothing(four: Fleet, strategy: str) -> None:
    before, old = four.found(), four.serves()
    with four.under_load():
        ended = four.roll(other(old), strategy=strategy, soak=300)
        assert ended.code == 0, ended.said
        kept = {each["id"] for each in four.repository.status()["instances"]}
        ended = four.repository.fab("rollback")
    assert ended.code == 0, ended.said
    assert set(four.repository.served()[1]) <= kept

    ended = four.roll(other(old), strategy=strategy)
    assert ended.code == 0, ended.said
    four.ended(other(old), before, rolls=3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fleet_of_another_kind_is_rolled(baked: Repository, kind: str) -> None:
    aws = Aws(baked.environment)
    image = aws.ec2.describe_images(Filters=[{"Name": "tag:bakeroll:version", "Values": [OLD]}])["Images"][0]["ImageId"]
    name = f"links-{kind}"
    repository = Repository(baked.path, baked.environment | {"BAKEROLL_ENV": kind})
    target_group, settings = KINDS[kind](Maker(aws, name, image))
    repository.settle(**LOCAL, fleet=name, **settings)
    fleet = Fleet(name, repository, target_group, is_network=kind == "network")
    eventually(lambda: aws.in_service(target_group) == SIZE)
    before = fleet.found()
    try:
        with fleet.under_load():
            ended = fleet.roll(NEW, strategy="surge")
        assert ended.code == 0, ended.said
        fleet.ended(NEW, before)
        if kind == "warm":
            (group,) = aws.groups(name)
            eventually(lambda: list(aws.warm(name).values()) == [launches(group)] * 2)
    finally:
        aws.asg.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)


def test_an_instance_that_never_gets_healthy_takes_the_release_back(four: Fleet) -> None:
    before, old = four.found(), four.serves()
    _inflict(four, "unhealthy", image=_image(four, other(old)), times=1)

    with four.under_load():
        ended = four.roll(other(old), in_service_timeout=6)

    assert ended.code == 3, ended.said
    four.ended(old, before)


def test_instances_that_are_late_flap_or_die_are_waited_for_or_replaced(four: Fleet) -> None:
    before, old = four.found(), four.serves()
    image = _image(four, other(old))
    for kind, seconds in {"late": 4.0, "flaps": 4.0, "dies": 1.0}.items():
        _inflict(four, kind, image=image, times=1, after=seconds, seconds=15)

    with four.under_load(floor=SIZE - 1):  # one that flaps when it has proved itself is not the roll's doing
        ended = four.roll(other(old))

    assert ended.code == 0, ended.said
    eventually(lambda: four.aws.in_service(four.target_group) == SIZE)
    four.ended(other(old), before)


@pytest.mark.parametrize("strategy", ["surge", "rolling"])
def test_an_api_that_throttles_fails_and_loses_answers_is_no_harm(four: Fleet, strategy: str) -> None:
    before, old = four.found(), four.serves()
    for action in ("RunInstances", "AttachInstances", "SetDesiredCapacity", "TerminateInstanceInAutoScalingGroup"):
        _inflict(four, "lost", action=action, times=1)
    for kind in ("throttled", "failing"):
        _inflict(four, kind, action="Describe*", chance=0.2, times=10)
        _inflict(four, kind, action="*Targets", times=1)

    with four.under_load():
        ended = four.roll(other(old), strategy=strategy)

    assert ended.code == 0, ended.said
    four.ended(other(old), before)


def test_capacity_refused_in_one_zone_is_had_in_the_others(four: Fleet) -> None:
    before, old = four.found(), four.serves()
    _inflict(four, "no-capacity", zone="eu-west-1a")

    with four.under_load():
        ended = four.roll(other(old))

    assert ended.code == 0, ended.said
    four.ended(other(old), before)


def test_answers_that_are_two_seconds_old_are_no_harm(four: Fleet) -> None:
    before, old = four.found(), four.serves()
    _inflict(four, "stale", after=2, action="DescribeInstances")
    _inflict(four, "stale", after=2, action="DescribeAutoScalingGroups")

    with four.under_load():
        ended = four.roll(other(old))

    assert ended.code == 0, ended.said
    fault_client.clear(_config(four.repository))
    four.ended(other(old), before)


def _inflict(fleet: Fleet, kind: str, **asked: Any) -> None:
    fault_client.inflict(_config(fleet.repository), kind, **asked)


def _image(fleet: Fleet, version: str) -> str:
    found = fleet.aws.ec2.describe_images(Filters=[{"Name": "tag:bakeroll:version", "Values": [version]}])["Images"]
    image: str = found[0]["ImageId"]
    return image
