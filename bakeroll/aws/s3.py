"""Amazon S3: objects of one bucket, read and written under conditions.

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
        """Content and entity tag; None where there is no such object.

        Raises CloudError, also for an object of more bytes than `largest`, which is not read.
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

    def _too_large(self, key: str, size: int, largest: int) -> CloudError:
        return CloudError(
            f"s3://{self._bucket}/{key} has {size} bytes; it may have {largest} at most.",
            left="It was not read.",
            next_step="See who writes to the bucket; with versioning an earlier version of the object can be restored",
        )

    def _refused(self, verb: str, key: str, error: Exception) -> CloudError:
        hints = {
            UNMADE: "Make it: fab account.init, with the same --env",
            # S3 answers so for an object that is not there, too, unless one may list the bucket.
            "AccessDenied": "Allow s3:GetObject and s3:PutObject on the bucket's objects, and s3:ListBucket on it",
        }
        return CloudError(
            f"S3 would not {verb} s3://{self._bucket}/{key}: {error}", next_step=hints.get(_code(error), "")
        )


def _code(error: Exception) -> str:
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""
