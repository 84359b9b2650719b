"""Notifications of groups, by the API: kept, described, deleted."""

from typing import Any

from tests.local_cloud.world import World

NAMED = {"AutoScalingGroupName": "links"}
TOPIC = "arn:aws:sns:eu-west-1:123456789012:scaling"
LAUNCH, ERROR = "autoscaling:EC2_INSTANCE_LAUNCH", "autoscaling:EC2_INSTANCE_LAUNCH_ERROR"


def notified(world: World, **asked: Any) -> list[tuple[str, str]]:
    found = world.asg.describe_notification_configurations(**asked)["NotificationConfigurations"]
    return [(each["TopicARN"], each["NotificationType"]) for each in found]


def test_a_group_has_none_of_its_own(world: World) -> None:
    world.scale()

    assert notified(world, AutoScalingGroupNames=["links"]) == []


def test_a_topics_types_are_those_of_the_last_call(world: World) -> None:
    world.scale()

    world.asg.put_notification_configuration(**NAMED, TopicARN=TOPIC, NotificationTypes=[LAUNCH])
    world.asg.put_notification_configuration(**NAMED, TopicARN=TOPIC, NotificationTypes=[LAUNCH, ERROR])

    assert notified(world) == [(TOPIC, LAUNCH), (TOPIC, ERROR)]
    assert notified(world, AutoScalingGroupNames=["others"]) == []


def test_one_is_deleted_with_its_topic(world: World) -> None:
    world.scale()
    world.asg.put_notification_configuration(**NAMED, TopicARN=TOPIC, NotificationTypes=[LAUNCH])

    world.asg.delete_notification_configuration(**NAMED, TopicARN=TOPIC)

    assert notified(world) == []
