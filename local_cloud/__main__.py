"""The command: `python -m local_cloud up|down|reset|status|logs|shell|fault|calls`.

What it finds is JSON on standard output. What it does, and what failed, goes to standard error. With --report=FD all of
it goes to that descriptor instead, one JSON object a line, for the program that runs it (`client.voices`).

Each subcommand imports what it needs and no more: a program may ask for the status many times.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

from local_cloud.client.voices import ForPeople, ForPrograms, Voice
from local_cloud.config import ACCOUNT, Config, endpoint, from_environment, gateway_url
from local_cloud.errors import LocalCloudError, NotConfirmed

INTERRUPTED = 130
FAULT_OPTIONS = ("action", "instance", "image", "zone", "instance-type", "times", "seconds", "after", "chance", "seed")
Do = Callable[[Config, argparse.Namespace, Voice], int | None]


def main(words: Sequence[str] | None = None) -> int:
    """Do what the words say; return the exit code."""
    given = _parser().parse_args(words)
    voice: Voice = ForPeople() if given.report is None else ForPrograms(given.report)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return _ended(given, voice)
    except KeyboardInterrupt:
        return INTERRUPTED


def _ended(given: argparse.Namespace, voice: Voice) -> int:
    """Do it, and say why where it failed; the exit code."""
    try:
        return _DO[given.subcommand](from_environment(), given, voice) or 0
    except LocalCloudError as error:
        voice.failed(error)
        return error.exit_code
    except BrokenPipeError:  # who read what was said has gone
        return 0
    except OSError as error:
        voice.refused(error)
    except Exception as error:  # noqa: BLE001 (the last door: what nobody foresaw is told as a defect)
        voice.broken(error)
    return 1


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class _Parser(argparse.ArgumentParser):
    """One that imports no more to ask how wide the terminal is."""

    def _get_formatter(self) -> argparse.HelpFormatter:
        return argparse.HelpFormatter(self.prog, width=100)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("local_cloud", description="A cloud inside this machine.")
    parser.add_argument("--report", type=int, help="a descriptor to say everything at, as JSON")
    commands = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND", parser_class=_Parser)
    commands.add_parser("up", help="start the cloud, and say where it answers")
    commands.add_parser("down", help="stop the cloud and its machines; what it holds is kept")
    reset = commands.add_parser("reset", help="stop the cloud and delete what it holds")
    reset.add_argument("--cache", action="store_true", help="delete the source image too")
    reset.add_argument("--dry-run", action="store_true", help="say what holds something and would be deleted")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    commands.add_parser("status", help="show instances, images, load balancers and groups")
    logs = commands.add_parser("logs", help="show the daemon's log, or an instance's console")
    logs.add_argument("instance", nargs="?", default="")
    logs.add_argument("--follow", action="store_true", help="go on")
    shell = commands.add_parser("shell", help="open a root shell in an instance")
    shell.add_argument("instance")
    shell.add_argument("--command", default="", help="what the shell is to run; ends with its exit code")
    fault = commands.add_parser("fault", help="have the cloud go wrong; alone, show the faults in force")
    fault.add_argument("kind", nargs="?", default="")
    fault.add_argument("--clear", action="store_true", help="end all faults")
    for option in FAULT_OPTIONS:
        fault.add_argument(f"--{option}", default="")
    commands.add_parser("calls", help="show which API calls were carried out")
    return parser


def _up(config: Config, _: argparse.Namespace, voice: Voice) -> None:
    from local_cloud.client.asking import ask

    if ask(config) is None:
        from local_cloud.client.control import up

        up(config, voice.tell)
    there = endpoint(config)
    voice.result(
        {
            "url": there.url,
            "region": there.region,
            "account": ACCOUNT,
            "gateway": gateway_url(config),
            "state": str(config.state),
            "environment": there.environment(),
        }
    )


def _down(config: Config, _: argparse.Namespace, voice: Voice) -> None:
    from local_cloud.client.control import down

    down(config, voice.tell)


def _reset(config: Config, given: argparse.Namespace, voice: Voice) -> None:
    from local_cloud.client.control import held, reset

    deleted = [str(directory) for directory in held(config, cache=given.cache)]
    if given.dry_run:
        voice.result({"deletes": deleted})
        return
    if deleted and not given.yes:
        raise NotConfirmed(
            f"This stops the local cloud and deletes all that it holds: {' and '.join(deleted)}.",
            left="Nothing was changed.",
            next_step=f"Confirm it: {config.command}reset --yes",
        )
    reset(config, voice.tell, cache=given.cache)


def _status(config: Config, _: argparse.Namespace, voice: Voice) -> None:
    from local_cloud.client.asking import status

    voice.result(status(config))


def _logs(config: Config, given: argparse.Namespace, voice: Voice) -> None:
    from local_cloud.client.looking import logs

    for line in logs(config, given.instance, is_followed=lambda: given.follow and voice.is_heard):
        voice.line(line)


def _shell(config: Config, given: argparse.Namespace, _: Voice) -> int:
    from local_cloud.client.shell import step_in

    return step_in(config, given.instance, given.command)


def _fault(config: Config, given: argparse.Namespace, voice: Voice) -> None:
    from local_cloud.client import faults

    asked = {name: getattr(given, name) for name in (option.replace("-", "_") for option in FAULT_OPTIONS)}
    done: dict[str, object] = {"ended": faults.clear(config)} if given.clear else {}
    if given.kind or any(asked.values()):
        done["fault"] = faults.inflict(config, given.kind, **asked)
    voice.result(done or {"in_force": faults.in_force(config)})


def _calls(config: Config, _: argparse.Namespace, voice: Voice) -> None:
    from local_cloud.client.faults import calls

    voice.result(calls(config))


_DO: dict[str, Do] = {
    "up": _up,
    "down": _down,
    "reset": _reset,
    "status": _status,
    "logs": _logs,
    "shell": _shell,
    "fault": _fault,
    "calls": _calls,
}

if __name__ == "__main__":
    sys.exit(main())
