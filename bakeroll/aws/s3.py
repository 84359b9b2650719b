"""Amazon S3: objects of one bucket, read and written under conditions.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

import json
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bakeroll.errors import CloudError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

UNMET = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
ABSENT = {"NoSuchKey", "404"}


class S3Objects:
    """The objects of one bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def get(self, key: str) -> tuple[bytes, str] | None:
        """Content and entity tag; None where there is no such object. Raises CloudError."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            return answer["Body"].read(), answer["ETag"]
        except (ClientError, BotoCoreError) as error:
            if _code(error) in ABSENT:
                return None
            raise self._refused("read", key, error) from error

    def put(
        self, key: str, content: bytes, *, if_match: str = "", if_absent: bool = False, cache_control: str = ""
    ) -> bool:
        """Write an object. False, with nothing written, where a condition is unmet. Raises CloudError."""
        conditions: dict[str, Any] = {}
        if if_match:
            conditions["IfMatch"] = if_match
        if if_absent:
            conditions["IfNoneMatch"] = "*"
        if cache_control:
            conditions["CacheControl"] = cache_control
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, **conditions)
        except (ClientError, BotoCoreError) as error:
            # An object that was to match and is gone answers NoSuchKey.
            if _code(error) in UNMET or (if_match and _code(error) in ABSENT):
                return False
            raise self._refused("write", key, error) from error
        return True

    def _refused(self, verb: str, key: str, error: Exception) -> CloudError:
        hints = {
            "NoSuchBucket": f"aws s3 mb s3://{self._bucket}",
            # S3 answers so for an object that is not there, too, unless one may list the bucket.
            "AccessDenied": "Allow s3:GetObject and s3:PutObject on the bucket's objects, and s3:ListBucket on it",
        }
        return CloudError(
            f"S3 would not {verb} s3://{self._bucket}/{key}: {error}", next_step=hints.get(_code(error), "")
        )


def s3_client(*, endpoint: str = "", region: str = "") -> "S3Client":
    """A client; one for an `endpoint` of its own names the bucket in the path, not in the host."""
    style: Any = {"addressing_style": "path"} if endpoint else {}
    return boto3.client("s3", endpoint_url=endpoint or None, region_name=region or None, config=Config(s3=style))


def ensure_bucket(client: "S3Client", bucket: str, *, is_public: bool = False) -> None:
    """Make the bucket in the client's region unless it is there. Raises CloudError.

    One that is made `is_public` lets everybody read its objects: that is how apt reads the local cloud's.
    """
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if _code(error) not in {"404", "NoSuchBucket"}:
            raise CloudError(f"S3 would not show s3://{bucket}: {error}") from error
        _create(client, bucket, is_public)
    except BotoCoreError as error:
        raise CloudError(f"S3 did not answer for s3://{bucket}: {error}") from error


def _create(client: "S3Client", bucket: str, is_public: bool) -> None:
    region: Any = client.meta.region_name
    where: Any = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        client.create_bucket(Bucket=bucket, **where)
        if is_public:
            client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_readable(bucket)))
    except ClientError as error:
        if _code(error) != "BucketAlreadyOwnedByYou":
            raise CloudError(f"S3 would not make s3://{bucket}: {error}") from error


def _readable(bucket: str) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _code(error: Exception) -> str:
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""
