"""The actions of a roll in words, as a plan lists them. Leaves the lines of a running roll to `run.progress`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bakeroll.roll.state import actions as act
from bakeroll.roll.state.decision import Deed
from bakeroll.roll.state.record import Record
from bakeroll.wording import counted


@dataclass(frozen=True, slots=True)
class Step:
    """What is done, with # for the number of instances, and that number."""

    text: str
    instances: int = 0


def steps_of(deeds: Iterable[Deed]) -> Iterator[str]:
    """The deeds in words. Equal deeds in a row are one step."""
    last, number = "", 0
    for step in (step for each in deeds for step in steps(each.action, each.record)):
        if step.text != last and last:
            yield _counted(last, number)
            number = 0
        last, number = step.text, number + step.instances
    if last:
        yield _counted(last, number)


def _counted(text: str, number: int) -> str:
    return text.replace("#", counted(number, "instance"))


def steps(action: act.Action, record: Record) -> Sequence[Step]:  # noqa: C901 (a case for each action)
    """The steps of one action. None if it only reads."""
    match action:
        case act.FindVersions():
            return ()
        case act.MakeVersion(_, source, image):
            return (Step(f"make a launch template version: {source} with {image}"),)
        case act.DeleteVersion(_, version):
            return (Step(f"delete launch template version {version}, which nothing uses"),)
        case act.SetTemplate(_, version):
            return (Step(f"{record.group} launches version {version} from now on"),)
        case act.Suspend(processes):
            return (_processes("suspend", processes, record.group),)
        case act.Resume(processes, group):
            return (_processes("resume", processes, group or record.group),)
        case act.Launch(slot):
            return (Step("launch #", record.launches.slots[slot].count),)
        case act.Register(group, targets):
            return (Step(f"register # with {group.name}", len(targets)),)
        case act.Deregister(group, targets):
            return (Step(f"deregister # from {group.name}", len(targets)),)
        case act.Attach(ids):
            return (Step(f"attach # to {record.group}", len(ids)),)
        case act.Retire():
            return (Step("retire #, drained", 1),)
        case act.Terminate(ids) | act.Cool(ids):
            return (Step("terminate #", len(ids)),)
        case act.StandBy(ids):
            return (Step("move # to Standby, drained", len(ids)),)
        case act.Return(ids):
            return (Step("return # from Standby", len(ids)),)
        case act.RaiseDesired(_, desired) | act.LowerDesired(_, desired):
            return (Step(f"set the desired capacity of {record.group} to {desired}"),)
        case act.SetMaximum(_, maximum):
            return (Step(f"set the maximum size of {record.group} to {maximum}"),)
        case act.StartRefresh():
            return (Step(f"AWS's instance refresh replaces the instances of {record.group}"),)
        case act.CancelRefresh():
            return (Step(f"cancel AWS's instance refresh of {record.group}"),)
        case act.Clone(twin):
            return (Step(f"create the group {twin} as a copy of {record.group}"),)
        case act.Size(group, _, desired, _):
            return (Step(f"{group} launches # by itself", desired),)
        case act.Switch():
            return _switched(action)
        case act.DeleteTwin(twin):
            return (Step(f"delete the group {twin}"),)


def _switched(switch: act.Switch) -> Sequence[Step]:
    kept = (_processes("suspend", switch.suspended, switch.to),) if switch.suspended else ()
    return (
        _processes("suspend", act.FROZEN, switch.group),
        Step(f"hand policies, scheduled actions and alarms of {switch.group} over to {switch.to}"),
        *kept,
        _processes("resume", switch.resumed, switch.to),
        Step(f"remove the roll's tags from {switch.to}"),
    )


def _processes(verb: str, processes: Sequence[str], group: str) -> Step:
    return Step(f"{verb} {', '.join(processes)} of {group}")
