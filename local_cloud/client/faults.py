"""Asks the local cloud for faults, and what was called there. Imports nothing heavy."""

import http.client
import json
from typing import Any

from bakeroll.errors import LocalCloudError
from local_cloud.client import control
from local_cloud.config import Config

_FAULTS, _CALLS = "/bakeroll/faults", "/bakeroll/calls"


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
    control.status(config)  # it is up, and is this cloud
    connection = http.client.HTTPConnection("127.0.0.1", config.port, timeout=30)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        said = json.loads(answer.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise LocalCloudError(f"The local cloud did not answer: {error}", next_step="fab local.logs") from None
    finally:
        connection.close()
    if answer.status != 200:
        raise LocalCloudError(said["message"], left="Nothing was changed.", next_step="fab local.fault --help")
    return said
