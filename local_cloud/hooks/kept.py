"""moto as a whole: its state, to be kept and restored, and the actions that it knows."""

import importlib
from typing import Any

import moto
from moto.backends import get_backend
from moto.core.base_backend import BackendDict
from moto.core.responses import BaseResponse
from moto.core.utils import method_names_from_class
from moto.s3.models import FakeKey

from local_cloud.requests.calls import S3_ACTIONS

SERVICES = ("autoscaling", "cloudwatch", "dynamodb", "ec2", "elb", "elbv2", "iam", "s3", "ssm", "sts")


S3_OBJECT = FakeKey


def collect() -> Any:
    """moto's backends of the services used here, to be pickled as one, so that they go on referring to each other.

    moto answers for others as well, but has backends that cannot be pickled: those live until the cloud goes down.
    """
    services = {
        each.service_name: {account: dict(regions.items()) for account, regions in list(each.items())}
        for each in list(BackendDict._instances)  # type: ignore[misc]
        if each.service_name in SERVICES
    }
    return {"moto": moto.__version__, "services": services}


def restore(kept: Any) -> None:
    """Put back what `collect` gave."""
    for service, accounts in kept["services"].items():
        for account, regions in accounts.items():
            for region, backend in regions.items():
                get_backend(service)[account][region] = backend
    s3: Any = get_backend("s3")
    for account, partition, backend in s3.iter_backends():
        for bucket in backend.buckets:
            s3.bucket_accounts[bucket] = (partition, account)


def actions() -> frozenset[str]:
    """The names of what moto knows of the services that are used here."""
    modules = [importlib.import_module(f"moto.{service}.responses") for service in SERVICES]
    kinds = [kind for module in modules for kind in vars(module).values() if isinstance(kind, type)]
    methods = {name for kind in kinds if issubclass(kind, BaseResponse) for name in method_names_from_class(kind)}
    return S3_ACTIONS | {"".join(word.capitalize() for word in name.split("_")) for name in methods}
