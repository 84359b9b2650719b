"""Where adapters meet the rooms that need them, and nothing else happens.

Everything is made on first use, so that a task pays only for the parts of the world that it touches.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bakeroll.events import Report
from bakeroll.process import run
from bakeroll.settings import EnvironmentSettings

if TYPE_CHECKING:
    from bakeroll.apt.keys import GnupgKey
    from bakeroll.aws.s3 import S3Objects
    from bakeroll.bake.oven import Bakery


class Site:
    """One environment and the world around it, as a pipeline walks through it."""

    def __init__(
        self,
        environment: EnvironmentSettings,
        report: Report,
        *,
        operator: str,
        keys: Path | None = None,
        repository_endpoint: str = "",
    ) -> None:
        """`keys` is a local environment's own keyring, `repository_endpoint` where its instances reach S3."""
        self.environment, self.report, self.operator = environment, report, operator
        self.run = run
        self._keys, self._repository_endpoint = keys, repository_endpoint

    @property
    def work(self) -> Path:
        """Packages, logs and locks; may be deleted at any time."""
        return self.environment.root / ".bakeroll"

    @property
    def endpoint(self) -> str:
        return os.environ.get("AWS_ENDPOINT_URL", "")
