"""What a request asks for, in the words of IAM policies, and the log of what was carried out.

The names are those of the service authorization reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/), so that a policy can be held against them.
"""

import io
import re
import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

Environ = dict[str, Any]
_REMEMBERED = 10_000
_LONGEST = 128
"""Characters of an action's name, which may be anything."""
_READS = ("Describe", "Get", "List", "Head", "Query", "Scan", "BatchGet", "TransactGet")
# Where a signature's name of a service differs from its prefix in policies.
_PREFIXES = {"monitoring": "cloudwatch"}
_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request")

# S3 names its calls by method and path; the parameter without a value tells them apart.
_S3_BUCKET = {
    "GET": "ListBucket",
    "HEAD": "ListBucket",
    "PUT": "CreateBucket",
    "DELETE": "DeleteBucket",
    "GET location": "GetBucketLocation",
    "GET versions": "ListBucketVersions",
    "GET uploads": "ListBucketMultipartUploads",
    "POST delete": "DeleteObject",
    "DELETE policy": "DeleteBucketPolicy",
}
_S3_ASPECTS = {  # a bucket's settings are read with Get…, written and removed with Put…
    "acl": "BucketAcl",
    "encryption": "EncryptionConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
}
_S3_OBJECT = {
    "GET": "GetObject",
    "HEAD": "GetObject",
    "PUT": "PutObject",
    "POST": "PutObject",
    "DELETE": "DeleteObject",
    "GET uploadId": "ListMultipartUploadParts",
    "DELETE uploadId": "AbortMultipartUpload",
    "GET versionId": "GetObjectVersion",
    "HEAD versionId": "GetObjectVersion",
    "DELETE versionId": "DeleteObjectVersion",
    "GET tagging": "GetObjectTagging",
    "PUT tagging": "PutObjectTagging",
    "DELETE tagging": "DeleteObjectTagging",
}
S3_ACTIONS = frozenset(
    {"ListAllMyBuckets", *_S3_BUCKET.values(), *_S3_OBJECT.values()}
    | {f"{verb}{aspect}" for aspect in _S3_ASPECTS.values() for verb in ("Get", "Put")}
)


@dataclass(frozen=True, slots=True)
class Call:
    """An action of a service, such as ec2:RunInstances."""

    service: str
    action: str

    def __str__(self) -> str:
        return f"{self.service}:{self.action}"

    @property
    def is_read(self) -> bool:
        return self.action.startswith(_READS)


class Calls:
    """The calls that were carried out since the cloud is up, the refused ones included."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._latest: deque[str] = deque(maxlen=_REMEMBERED)

    def add(self, call: Call) -> None:
        with self._lock:
            if str(call) in self._counts or len(self._counts) < _REMEMBERED:
                self._counts[str(call)] += 1
            self._latest.append(str(call))

    def summary(self) -> dict[str, Any]:
        """How often each was carried out, and the latest ones in their order."""
        with self._lock:
            return {"counts": dict(sorted(self._counts.items())), "latest": list(self._latest)}


def call_of(environ: Environ) -> Call:
    """The call that a request is. The service is the one that it is signed for; what bears no signature is S3's."""
    _, signed_for = scope_of(environ)
    service = _PREFIXES.get(signed_for, signed_for)
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return Call(service, str(target).rpartition(".")[2][:_LONGEST])
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        named = parse_qs(body_of(environ).decode("utf-8", "replace")).get("Action")
        if named:
            return Call(service, named[0][:_LONGEST])
    return Call(service, _s3_action(environ))


def scope_of(environ: Environ) -> tuple[str, str]:
    """The region and the service that a request is signed for
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html)."""
    found = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    return (found[1], found[2]) if found else ("", "s3")


def body_of(environ: Environ) -> bytes:
    """What a request carries; it can be read again."""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def replace_body(environ: Environ, body: bytes) -> None:
    """Have a request carry this."""
    environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def _s3_action(environ: Environ) -> str:
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].strip("/")
    asked = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    if not path:
        return "ListAllMyBuckets"
    table = _S3_OBJECT if "/" in path else _S3_BUCKET
    for parameter in asked:
        if name := table.get(f"{method} {parameter}"):
            return name
        if table is _S3_BUCKET and (aspect := _S3_ASPECTS.get(parameter)):
            return f"{'Get' if method == 'GET' else 'Put'}{aspect}"
    return str(table.get(method, method))
