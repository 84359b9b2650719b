"""interim"""

from functools import cache, cached_property
from typing import Any

import boto3


class Session:
    def __init__(self, region: str = "") -> None:
        self._session = boto3.Session(region_name=region or None)

    @property
    def region(self) -> str:
        return self._session.region_name

    @cached_property
    def account(self) -> str:
        return self.client("sts").get_caller_identity()["Account"]

    @cache
    def client(self, name: str) -> Any:
        return self._session.client(name)
