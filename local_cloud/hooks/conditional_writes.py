"""Hooks into S3's and DynamoDB's conditional writes: of two writers at once, one wins."""

import threading
from typing import Any

from moto.dynamodb.responses import DynamoHandler
from moto.s3.responses import S3Response

from local_cloud.hooks.cloud import Cloud
from local_cloud.hooks.hooking import Hook, Hooks

HOOKS = Hooks()


_putting = threading.Lock()


@HOOKS.before(S3Response, "put_object")
def _put_object(cloud: Cloud, original: Hook, response: Any) -> Any:
    """moto looks whether If-Match and If-None-Match hold, and writes later: two writers could both win."""
    with _putting:
        return original(response)


@HOOKS.before(DynamoHandler, "put_item")
def _put_item(cloud: Cloud, original: Hook, response: Any) -> Any:
    """moto looks whether the condition holds, and writes later: two writers could both win."""
    with _putting:
        return original(response)
