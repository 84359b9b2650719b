"""Asks the local cloud for faults, and what was called there. Imports nothing heavy."""

import json
from typing import Any

from local_cloud.client import asking
from local_cloud.config import Config
from local_cloud.errors import LocalCloudError

_FAULTS, _CALLS = "/bakeroll/faults", "/bakeroll/calls"
_ANSWER_SECONDS = 30
"""Seconds."""


def inflict(config: Config, kind: str, **asked: object) -> str:
    """Set a fault (`faults.Fault` has the fields); return it in the words of the command line.

    Raises LocalCloudError where there is no such fault, or no such cloud.
    """
    told = _ask(config, "POST", _FAULTS, {"kind": kind, **asked})
    return str(told["fault"])


def in_force(config: Config) -> list[dict[str, Any]]:
    """The faults in force: what was asked for, what it does, how often it struck, whom it has, the seconds left."""
    found: list[dict[str, Any]] = _ask(config, "GET", _FAULTS)
    return found


def clear(config: Config) -> int:
    """End all faults; return how many there were."""
    return int(_ask(config, "DELETE", _FAULTS)["ended"])


def calls(config: Config) -> dict[str, Any]:
    """The calls carried out since the cloud is up, named as in IAM policies: `counts` by name, `latest` in order."""
    found: dict[str, Any] = _ask(config, "GET", _CALLS)
    return found


def _ask(config: Config, method: str, path: str, body: object = None) -> Any:
    asking.status(config)  # it is up, and is this cloud
    text = b"" if body is None else json.dumps(body).encode()
    try:
        code, said = asking.request(config, method, path, text, _ANSWER_SECONDS)
    except (OSError, ValueError) as error:
        raise LocalCloudError(f"The local cloud did not answer: {error}", next_step=f"{config.command}logs") from None
    if code != 200:
        raise LocalCloudError(said["message"], left="Nothing was changed.", next_step=f"{config.command}fault --help")
    return said
