"""The way to AWS: boto3's clients, made on first use, and its errors in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bakeroll.errors import CloudError

if TYPE_CHECKING:
    from boto3.session import Session as Boto3Session
    from botocore.config import Config
    from botocore.exceptions import ClientError
    from types_boto3_autoscaling import AutoScalingClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_ec2 import EC2Client
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_s3 import S3Client
    from types_boto3_sts import STSClient

CONNECT_SECONDS = 5
READ_SECONDS = 20
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
LACKING = frozenset({"InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientAddressCapacity"})


@dataclass(frozen=True)
class Clients:
    """boto3's clients for one region. Making this imports nothing; AWS_ENDPOINT_URL and the like are boto3's."""

    region: str = ""
    profile: str = ""

    @cached_property
    def autoscaling(self) -> AutoScalingClient:
        with translated("autoscaling"):
            return self._session.client("autoscaling", config=_config())

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        with translated("dynamodb"):
            return self._session.client("dynamodb", config=_config())

    @cached_property
    def ec2(self) -> EC2Client:
        with translated("ec2"):
            return self._session.client("ec2", config=_config())

    @cached_property
    def elbv2(self) -> ElasticLoadBalancingv2Client:
        with translated("elbv2"):
            return self._session.client("elbv2", config=_config())

    @cached_property
    def s3(self) -> S3Client:
        with translated("s3"):
            return self._session.client("s3", config=_config())

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
    """Clients for a region and a profile; where they are empty, AWS_REGION, AWS_PROFILE and the files decide."""
    return Clients(region, profile)


def identity(clients: Clients) -> tuple[str, str]:
    """The account that the credentials belong to, and their ARN."""
    with translated("GetCallerIdentity"):
        found = clients.sts.get_caller_identity()
    return found["Account"], found["Arn"]


def _config() -> Config:
    from botocore.config import Config

    retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    return Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries)  # type: ignore[arg-type]


@contextmanager
def translated(operation: str, resource: str = "") -> Iterator[None]:
    """Whatever boto3 raises inside becomes a CloudError with the operation, the resource and AWS's code."""
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
        said = error.response["Error"]
        refused = CloudError(f"{operation}{of}: {said.get('Code', '?')}: {said.get('Message', '')}")
        refused.is_passing = _is_passing(said.get("Code", ""), error)
        raise refused from error
    except NoCredentialsError as error:
        raise CloudError(
            f"{operation}{of}: there are no AWS credentials.", next_step="Set AWS_PROFILE, or run: aws configure sso"
        ) from error
    except NoRegionError as error:
        raise CloudError(f"{operation}{of}: no region.", next_step="Set AWS_REGION, or region in deploy.yml") from error
    except EndpointConnectionError as error:
        unreached = CloudError(
            f"{operation}{of}: {error}", next_step="Is it the right one? AWS_ENDPOINT_URL, AWS_REGION, the proxy"
        )
        unreached.is_passing = True
        raise unreached from error
    except ProfileNotFound as error:
        raise CloudError(
            f"{operation}{of}: {error}.", next_step="Those there are: aws configure list-profiles"
        ) from error
    except BotoCoreError as error:
        unanswered = CloudError(f"{operation}{of}: {error}")
        unanswered.is_passing = isinstance(error, HTTPClientError)
        raise unanswered from error


def _is_passing(code: str, error: ClientError) -> bool:
    """EC2 answers a lack of capacity as a server's error too, but that may last for hours."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code in THROTTLED or (status >= 500 and code not in LACKING)


def code_of(error: CloudError) -> str:
    """AWS's code for what went wrong, such as ValidationError; empty where AWS did not answer."""
    from botocore.exceptions import ClientError

    cause = error.__cause__
    return cause.response["Error"].get("Code", "") if isinstance(cause, ClientError) else ""
