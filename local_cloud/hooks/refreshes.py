"""Instance refreshes by the API: moto has none. What a refresh does is in scaling/refreshes.py."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult

from local_cloud.hooks.hooking import Hooks
from local_cloud.hooks.launch_sources import sources
from local_cloud.hooks.scaled import Scaled
from local_cloud.scaling.launches import Configuration, completed, configuration
from local_cloud.scaling.refresh import Preferences, Refresh, Rollback
from local_cloud.scaling.refresh_steps import cancel
from local_cloud.scaling.refreshes import active, keep, refreshes_of
from local_cloud.scaling.warm_pools import warm_of

HOOKS = Hooks()

MOST_ALARMS = 10
"""https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AlarmSpecification.html"""


def must_be_changeable(group: Any) -> None:
    """What a group launches from is settled while a refresh desires something."""
    refresh = active(group)
    if refresh and refresh.desired:
        raise ValidationError(
            "An active instance refresh with a desired configuration exists. All configuration options derived from "
            "the desired configuration are not available for update while the instance refresh is active."
        )


@HOOKS.addition(AutoScalingResponse, "start_instance_refresh")
def _start(cloud: Scaled, response: Any) -> Any:
    """Absent from moto."""
    with cloud.scaling.lock:
        group = _group(response)
        if active(group):
            raise AutoscalingClientError(
                "InstanceRefreshInProgress", "An Instance Refresh is already in progress and blocks the execution."
            )
        if response._get_param("Strategy", "Rolling") != "Rolling":
            raise ValidationError("The local cloud knows the strategy Rolling alone.")
        desired = _desired(group, response._get_param("DesiredConfiguration"))
        preferences = _preferences(group, response._get_param("Preferences", {}), desired)
        _must_be_quiet(cloud, preferences)
        refresh = _new(cloud, group, desired, preferences)
        keep(group, refresh)
    cloud.scaling.wake(group.name)
    return ActionResult({"InstanceRefreshId": refresh.id})


def _new(cloud: Scaled, group: Any, desired: Configuration | None, preferences: Preferences) -> Refresh:
    refreshes = cloud.scaling.refreshes
    old = {state.instance.id for state in group.instance_states if not state.lifecycle_state.startswith("Terminating")}
    warm = {state.instance.id for state in warm_of(group) if not state.lifecycle_state.startswith("Warmed:Terminating")}
    if preferences.skip_matching:
        matching = refreshes.matching(group, desired or configuration(group))
        old, warm = old - matching, warm - matching
    return Refresh(
        id=str(uuid4()),
        started_at=refreshes.now(),
        preferences=preferences,
        old=frozenset(old | warm),
        total=len(old),
        desired=desired,
        to_update=len(old),
    )


def _desired(group: Any, given: dict[str, Any] | None) -> Configuration | None:
    """The desired configuration, completed by what the group has; refused where there is nothing to launch from."""
    if not given:
        return None
    if len(given) != 1:
        raise ValidationError("A desired configuration has either LaunchTemplate or MixedInstancesPolicy.")
    wanted = completed(group, given)
    try:
        sources(group, wanted)
    except ServiceException as error:
        raise ValidationError(f"You must use a valid fully-formed launch template. {error.message}") from None
    return wanted


def _preferences(group: Any, given: Mapping[str, Any], desired: Configuration | None) -> Preferences:
    smallest, largest = int(given.get("MinHealthyPercentage", 90)), int(given.get("MaxHealthyPercentage", 100))
    if not (0 <= smallest <= 100 <= largest <= 200 and largest - smallest <= 100):
        raise ValidationError(
            "MinHealthyPercentage must be from 0 to 100, MaxHealthyPercentage from 100 to 200, their difference 100 at "
            "most."
        )
    checkpoints = tuple(int(each) for each in given.get("CheckpointPercentages", []))
    if list(checkpoints) != sorted(set(checkpoints)) or not all(1 <= each <= 100 for each in checkpoints):
        raise ValidationError("CheckpointPercentages must be unique, in ascending order, and from 1 to 100.")
    alarms = tuple((given.get("AlarmSpecification") or {}).get("Alarms", []))
    if len(alarms) > MOST_ALARMS:
        raise ValidationError(f"An alarm specification names {MOST_ALARMS} alarms at most.")
    if given.get("AutoRollback"):
        _must_be_reversible(group, desired, "ValidationError")
    return Preferences(
        min_healthy=smallest,
        max_healthy=largest,
        warmup=float(given.get("InstanceWarmup", _default_warmup(group))),
        checkpoints=checkpoints,
        checkpoint_delay=float(given.get("CheckpointDelay", 3600)),
        skip_matching=bool(given.get("SkipMatching", False)),
        auto_rollback=bool(given.get("AutoRollback", False)),
        protected=given.get("ScaleInProtectedInstances", "Wait"),
        standby=given.get("StandbyInstances", "Wait"),
        alarms=alarms,
        bake=float(given.get("BakeTime", 0)),
    )


def _default_warmup(group: Any) -> float:
    warmup = getattr(group, "default_instance_warmup", None)
    return float(group.health_check_grace_period or 0) if warmup in (None, -1) else float(warmup)


def _must_be_reversible(group: Any, desired: Configuration | None, code: str) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-rollback.html"""
    if desired is None:
        raise AutoscalingClientError(
            code,
            "The AutoRollback parameter cannot be set to true when the DesiredConfiguration parameter is empty."
            if code == "ValidationError"
            else "The instance refresh has no desired configuration, so there is nothing to roll back to.",
        )
    for versions in (_versions(desired), _versions(configuration(group))):
        if versions & {"$Latest", "$Default"}:
            raise AutoscalingClientError(
                code, "An instance refresh with a launch template version of $Latest or $Default cannot be rolled back."
            )


def _versions(chosen: Configuration) -> set[str]:
    """The versions that it names, a missing one being $Default."""
    if "LaunchConfigurationName" in chosen:
        return set()
    policy = chosen.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    templates = [each.get("LaunchTemplateSpecification") for each in policy.get("Overrides") or []]
    templates += [chosen.get("LaunchTemplate"), policy.get("LaunchTemplateSpecification")]
    return {str(each.get("Version") or "$Default") for each in templates if each}


def _must_be_quiet(cloud: Scaled, preferences: Preferences) -> None:
    loud = cloud.scaling.refreshes.alarmed(preferences.alarms, "ALARM", "INSUFFICIENT_DATA")
    if loud:
        raise ValidationError(
            f"The instance refresh cannot start: these alarms are in ALARM or INSUFFICIENT_DATA: {', '.join(loud)}"
        )


@HOOKS.addition(AutoScalingResponse, "describe_instance_refreshes")
def _describe(cloud: Scaled, response: Any) -> Any:
    """Absent from moto."""
    wanted = response._get_param("InstanceRefreshIds", [])
    with cloud.scaling.lock:
        group = _group(response)
        found = [each for each in refreshes_of(group) if not wanted or each.id in wanted]
    first, most = int(response._get_param("NextToken") or 0), response._get_int_param("MaxRecords", 50)
    token = str(first + most) if len(found) > first + most else None
    shown = [_shown(group, each) for each in found[first : first + most]]
    return ActionResult({"InstanceRefreshes": shown, "NextToken": token})


def _shown(group: Any, refresh: Refresh) -> dict[str, Any]:
    shown = {
        "InstanceRefreshId": refresh.id,
        "AutoScalingGroupName": group.name,
        "Strategy": "Rolling",
        "Status": refresh.status,
        "StatusReason": refresh.reason or None,
        "StartTime": refresh.started_at,
        "EndTime": refresh.ended_at,
        "Preferences": _shown_preferences(refresh.preferences),
        "DesiredConfiguration": refresh.desired,
        "RollbackDetails": refresh.rollback and _shown_rollback(refresh.rollback),
        **_progress(group, refresh),
    }
    return {key: value for key, value in shown.items() if value is not None}


def _progress(group: Any, refresh: Refresh) -> dict[str, Any]:
    figures = {"PercentageComplete": refresh.percentage, "InstancesToUpdate": refresh.to_update}
    details = {"LivePoolProgress": figures}
    if group.warm_pool:
        left = sum(state.instance.id in refresh.old for state in warm_of(group))
        share = 100 - 100 * left // max(1, len(warm_of(group)))
        details["WarmPoolProgress"] = {"PercentageComplete": share, "InstancesToUpdate": left}
    return {**figures, "ProgressDetails": details}


def _shown_preferences(preferences: Preferences) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "MinHealthyPercentage": preferences.min_healthy,
        "MaxHealthyPercentage": preferences.max_healthy,
        "InstanceWarmup": int(preferences.warmup),
        "SkipMatching": preferences.skip_matching,
        "AutoRollback": preferences.auto_rollback,
        "ScaleInProtectedInstances": preferences.protected,
        "StandbyInstances": preferences.standby,
        "BakeTime": int(preferences.bake),
    }
    if preferences.checkpoints:
        shown["CheckpointPercentages"] = list(preferences.checkpoints)
        shown["CheckpointDelay"] = int(preferences.checkpoint_delay)
    if preferences.alarms:
        shown["AlarmSpecification"] = {"Alarms": list(preferences.alarms)}
    return shown


def _shown_rollback(rollback: Rollback) -> dict[str, Any]:
    return {
        "RollbackReason": rollback.reason,
        "RollbackStartTime": rollback.started_at,
        "PercentageCompleteOnRollback": rollback.percentage,
        "InstancesToUpdateOnRollback": rollback.to_update,
    }


@HOOKS.addition(AutoScalingResponse, "cancel_instance_refresh")
def _cancel(cloud: Scaled, response: Any) -> Any:
    """Absent from moto."""
    with cloud.scaling.lock:
        group, refresh = _active(response)
        at_once = not response._get_bool_param("WaitForTransitioningInstances", True)
        keep(group, cancel(refresh, cloud.scaling.refreshes.now(), at_once=at_once))
    cloud.scaling.wake(group.name)
    return ActionResult({"InstanceRefreshId": refresh.id})


@HOOKS.addition(AutoScalingResponse, "rollback_instance_refresh")
def _roll_back(cloud: Scaled, response: Any) -> Any:
    """Absent from moto."""
    with cloud.scaling.lock:
        group, refresh = _active(response)
        if not refresh.is_forward:
            raise AutoscalingClientError(
                "IrreversibleInstanceRefresh", f"The instance refresh is {refresh.status}: it cannot be rolled back."
            )
        _must_be_reversible(group, refresh.desired, "IrreversibleInstanceRefresh")
        cloud.scaling.refreshes.turn_around(group, refresh, cloud.scaling.members.seen(group))
    cloud.scaling.wake(group.name)
    return ActionResult({"InstanceRefreshId": refresh.id})


def _active(response: Any) -> tuple[Any, Refresh]:
    group = _group(response)
    refresh = active(group)
    if refresh is None:
        raise AutoscalingClientError(
            "ActiveInstanceRefreshNotFound",
            f"No in progress or pending Instance Refresh found for Auto Scaling group {group.name}",
        )
    return group, refresh


def _group(response: Any) -> Any:
    return response.autoscaling_backend.autoscaling_groups[response._get_param("AutoScalingGroupName")]
