"""boto3's clients, made on first use, and its errors in our words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from bakeroll.errors import CloudError, SettingsError

if TYPE_CHECKING:
    from boto3.session import Session as Boto3Session
    from botocore.client import BaseClient
    from botocore.config import Config
    from botocore.exceptions import ClientError
    from types_boto3_autoscaling import AutoScalingClient
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_ec2 import EC2Client
    from types_boto3_elb import ElasticLoadBalancingClient
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_iam import IAMClient
    from types_boto3_s3 import S3Client
    from types_boto3_service_quotas import ServiceQuotasClient
    from types_boto3_sts import STSClient

T = TypeVar("T")

CONNECT_SECONDS = 5
READ_SECONDS = 20
DOCUMENT_SECONDS = 5
"""DynamoDB answers in milliseconds. A hanging connection must not cost a roll its lease, which lasts 15 s."""
ATTEMPTS = 6
THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
        "RateExceeded",
        "ProvisionedThroughputExceededException",
        "ResourceContention",
        "ScalingActivityInProgress",
    }
)
FORBIDDEN = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"})
LACKING = frozenset({"InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientAddressCapacity"})


@dataclass(frozen=True)
class Clients:
    """boto3's clients for one region. Creating this imports nothing. boto3 reads AWS_ENDPOINT_URL and the like."""

    region: str = ""
    profile: str = ""

    @cached_property
    def autoscaling(self) -> AutoScalingClient:
        with translated("autoscaling"):
            return self._session.client("autoscaling", config=_config())

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        with translated("cloudwatch"):
            return self._session.client("cloudwatch", config=_config())

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        with translated("dynamodb"):
            return self._session.client("dynamodb", config=_config(DOCUMENT_SECONDS))

    @cached_property
    def ec2(self) -> EC2Client:
        with translated("ec2"):
            return self._session.client("ec2", config=_config())

    @cached_property
    def elb(self) -> ElasticLoadBalancingClient:
        with translated("elb"):
            return self._session.client("elb", config=_config())

    @cached_property
    def elbv2(self) -> ElasticLoadBalancingv2Client:
        with translated("elbv2"):
            return self._session.client("elbv2", config=_config())

    @cached_property
    def iam(self) -> IAMClient:
        with translated("iam"):
            return self._session.client("iam", config=_config())

    @cached_property
    def s3(self) -> S3Client:
        with translated("s3"):
            return self._session.client("s3", config=_config())

    @cached_property
    def service_quotas(self) -> ServiceQuotasClient:
        with translated("service-quotas"):
            return self._session.client("service-quotas", config=_config())

    @cached_property
    def sts(self) -> STSClient:
        with translated("sts"):
            return self._session.client("sts", config=_config())

    @cached_property
    def _session(self) -> Boto3Session:
        from boto3.session import Session

        with translated("reading AWS's configuration"):
            return Session(region_name=self.region or None, profile_name=self.profile or None)


def clients(region: str = "", profile: str = "") -> Clients:
    """Clients for a region and a profile. If these are empty, AWS_REGION, AWS_PROFILE and AWS's files decide."""
    return Clients(region, profile)


def clients_of(account: str, region: str, environment: str) -> Clients:
    """Clients for a region. Raises SettingsError where the environment names another account than the credentials'."""
    found = clients(region)
    if account and (actual := identity(found)[0]) != account:
        raise SettingsError(
            f"The credentials belong to account {actual}, and {environment} is in {account}.",
            left="Nothing was changed.",
            next_step="Use the right credentials: AWS_PROFILE",
        )
    return found


def identity(clients: Clients) -> tuple[str, str]:
    """The account and the ARN of the credentials."""
    with translated("GetCallerIdentity"):
        found = clients.sts.get_caller_identity()
    return found["Account"], found["Arn"]


def _config(read_seconds: float = READ_SECONDS) -> Config:
    from botocore.config import Config

    retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    return Config(connect_timeout=CONNECT_SECONDS, read_timeout=read_seconds, retries=retries)  # type: ignore[arg-type]


@contextmanager
def translated(operation: str, resource: str = "") -> Iterator[None]:
    """Turn whatever boto3 raises into a CloudError with the operation, the resource and AWS's code."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        EndpointConnectionError,
        HTTPClientError,
        NoCredentialsError,
        NoRegionError,
        ProfileNotFound,
    )

    of = f" of {resource}" if resource else ""
    try:
        yield
    except ClientError as error:
        answer = error.response["Error"]
        refused = CloudError(f"{operation}{of}: {answer.get('Code', '?')}: {answer.get('Message', '')}")
        refused.is_passing = _is_passing(answer.get("Code", ""), error)
        refused.is_lacking = answer.get("Code", "") in LACKING
        raise refused from error
    except NoCredentialsError as error:
        raise CloudError(
            f"{operation}{of}: there are no AWS credentials.", next_step="Set AWS_PROFILE, or run: aws configure sso"
        ) from error
    except NoRegionError as error:
        raise CloudError(f"{operation}{of}: no region.", next_step="Set AWS_REGION, or region in deploy.yml") from error
    except EndpointConnectionError as error:
        unreached = CloudError(
            f"{operation}{of}: {error}", next_step="Check AWS_ENDPOINT_URL, AWS_REGION and the proxy."
        )
        unreached.is_passing = True
        raise unreached from error
    except ProfileNotFound as error:
        raise CloudError(
            f"{operation}{of}: {error}.", next_step="List the profiles: aws configure list-profiles"
        ) from error
    except BotoCoreError as error:
        unanswered = CloudError(f"{operation}{of}: {error}")
        unanswered.is_passing = isinstance(error, HTTPClientError)
        raise unanswered from error


@contextmanager
def permitted(operation: str, resource: str = "") -> Iterator[None]:
    """Like `translated`, with a short error for a missing permission, even if a call inside has translated it."""
    try:
        with translated(operation, resource):
            yield
    except CloudError as error:
        if code_of(error) in FORBIDDEN:
            refused: Any = error.__cause__
            raise CloudError(f"not permitted: {refused.operation_name}") from error
        raise


def _is_passing(code: str, error: ClientError) -> bool:
    """Whether the same call may soon succeed. A lack of capacity is a server error too, but may last for hours."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code in THROTTLED or (status >= 500 and code not in LACKING)


def code_of(error: CloudError) -> str:
    """AWS's code for the error, such as ValidationError. Empty if AWS did not answer."""
    from botocore.exceptions import ClientError

    cause = error.__cause__
    return cause.response["Error"].get("Code", "") if isinstance(cause, ClientError) else ""


def is_not_found(error: CloudError) -> bool:
    """Whether Auto Scaling does not know the named thing. It has no code for that."""
    return code_of(error) == "ValidationError" and "not found" in error.what.lower()


def blocks(values: Sequence[T], size: int) -> Iterator[list[T]]:
    """The values in lists of at most `size`, which is what AWS takes in one call. No list for no values."""
    return (list(values[at : at + size]) for at in range(0, len(values), size))


def taken_by(client: BaseClient, operation: str, described: Mapping[str, Any]) -> dict[str, Any]:
    """The non-empty fields of a description that the operation takes under the same names.

    The names come from botocore's model, so that a copy keeps the fields that AWS adds later.
    """
    shape = client.meta.service_model.operation_model(operation).input_shape
    taken = shape.members if shape else {}
    return {key: value for key, value in described.items() if key in taken and value not in (None, "", [], {})}
