"""Reads and writes objects of one S3 bucket, under conditions.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from bakeroll.errors import CloudError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

UNMET = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
ABSENT = {"NoSuchKey", "404"}
UNMADE = "NoSuchBucket"


class S3Objects:
    """The objects of one bucket. `may_be_unmade`: it counts as empty until somebody makes it."""

    def __init__(self, client: "S3Client", bucket: str, *, may_be_unmade: bool = False) -> None:
        self._client, self._bucket = client, bucket
        self._absent = ABSENT | ({UNMADE} if may_be_unmade else set())

    def get(self, key: str, largest: int) -> tuple[bytes, str] | None:
        """Content and entity tag. None if there is no such object.

        Raises CloudError. An object of more bytes than `largest` is refused and not read.
        """
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            if answer["ContentLength"] > largest:
                answer["Body"].close()
                raise self._too_large(key, answer["ContentLength"], largest)
            return answer["Body"].read(), answer["ETag"]
        except (ClientError, BotoCoreError) as error:
            if _code(error) in self._absent:
                return None
            raise self._refused("read", key, error) from error

    def put(
        self, key: str, content: bytes, *, if_match: str = "", if_absent: bool = False, cache_control: str = ""
    ) -> bool:
        """Write an object. Write nothing and return False if a condition is not met. Raises CloudError."""
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
            # If the object that must match is gone, S3 answers NoSuchKey.
            if _code(error) in UNMET or (if_match and _code(error) in ABSENT):
                return False
            raise self._refused("write", key, error) from error
        return True

    def _too_large(self, key: str, size: int, largest: int) -> CloudError:
        return CloudError(
            f"s3://{self._bucket}/{key} has {size} bytes; it may have at most {largest}.",
            left="It was not read.",
            next_step="Check who writes to the bucket. If it has versioning, restore an earlier version of the object.",
        )

    def _refused(self, verb: str, key: str, error: Exception) -> CloudError:
        hints = {
            UNMADE: "Make it: fab account.init, with the same --env",
            # Without permission to list the bucket, S3 also answers this for a missing object.
            "AccessDenied": "Allow s3:GetObject and s3:PutObject on the bucket's objects, and s3:ListBucket on it",
        }
        return CloudError(
            f"S3 did not {verb} s3://{self._bucket}/{key}: {error}", next_step=hints.get(_code(error), "")
        )


def _code(error: Exception) -> str:
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""
