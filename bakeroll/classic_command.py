"""The classic command line of a task, `fab deploy:env=dev,dirty=yes`, for the stock `fab`.

Fabric parses its own flags, imports the fabfile, then parses the tasks. So the import of a fabfile can still rewrite
the remaining words (`fabric.main.program.core.unparsed`).
"""

import re
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from invoke.exceptions import ParseError
from invoke.parser.argument import Argument
from invoke.tasks import Task

_SEPARATOR = re.compile(r"(?<!\\),")
_FALSE = {"0", "no", "false", "off"}


def rewrite(program: Any, tasks: Mapping[str, Task[Any]]) -> None:
    """Rewrite the words that `program` has not parsed yet into the modern form, if it parses any."""
    core = getattr(program, "core", None)
    if core is not None:
        core.unparsed[:] = modern(core.unparsed, tasks)


def modern(words: Sequence[str], tasks: Mapping[str, Task[Any]]) -> list[str]:
    r"""`words` with each `task:value,key=value` of a known task written as `task --first=value --key=value`.

    Values without a name fill the task's parameters in order. `\,` is a comma in a value. A boolean becomes its flag
    or is left out, and its bare name (`deploy:dev,dry-run`) is its flag. A word that is the value of a flag stays as
    it is. A bare word right after a task fills the task's optional positional parameter, because Invoke fills only
    required ones.
    Raises ParseError for a key that the task does not have.
    """
    result: list[str] = []
    awaiting: dict[str, bool] = {}
    awaits_value = False
    optional: Argument | None = None
    for word in words:
        name, colon, rest = word.partition(":")
        filled, optional = optional, None
        if awaits_value:
            result.append(word)
            awaits_value = False
        elif name in tasks:
            arguments = _arguments(tasks[name])
            awaiting = {flag: argument.takes_value for argument in arguments for flag in _flags(argument)}
            result += [name, *(_options(name, rest, arguments) if colon else ())]
            optional = next((each for each in arguments if each.positional and each.default is not None), None)
        elif filled and not word.startswith("-"):
            result.append(f"{_flags(filled)[0]}={word}")
        else:
            result.append(word)
            awaits_value = awaiting.get(word, False)
    return result


def _arguments(task: Task[Any]) -> list[Argument]:
    # get_arguments removes the help texts from the task (invoke 2.2), and `--help` still needs them.
    spare = copy(task)
    spare.help = dict(task.help or {})
    return spare.get_arguments()


def _flags(argument: Argument) -> list[str]:
    return [f"-{name}" if len(name) == 1 else f"--{name.replace('_', '-')}" for name in argument.names]


def _options(task: str, text: str, arguments: Sequence[Argument]) -> list[str]:
    known = {name.replace("-", "_"): argument for argument in arguments for name in argument.names}
    in_order = [argument for argument in arguments if argument.takes_value]
    options = []
    for part in filter(None, _SEPARATOR.split(text)):
        key, equals, value = part.replace("\\,", ",").partition("=")
        if not equals and (named := known.get(key.replace("-", "_"))) and not named.takes_value:
            options += _flags(named)[:1]
        elif not equals:
            if not in_order:
                raise ParseError(f"“{task}” has no parameter left for “{key}”.")
            options.append(f"{_flags(in_order.pop(0))[0]}={key}")
        else:
            argument = known.get(key.replace("-", "_"))
            if argument is None:
                names = ", ".join(argument.names[0] for argument in arguments)
                raise ParseError(f"“{task}” has no parameter “{key}”. It has: {names or 'none'}.")
            if argument in in_order:
                in_order.remove(argument)
            options += _option(argument, value)
    return options


def _option(argument: Argument, value: str) -> list[str]:
    flag = _flags(argument)[0]
    if argument.takes_value:
        return [f"{flag}={value}"]
    return [] if value.lower() in _FALSE else [flag]
