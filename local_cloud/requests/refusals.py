"""Errors in the form that each service answers in, and which are those of throttling and of failure.

Codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html for EC2,
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html for S3,
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html for DynamoDB,
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/CommonErrors.html for the others.
"""

import json
import re
from http import HTTPStatus
from xml.sax.saxutils import escape

from local_cloud.requests.answers import Answer
from local_cloud.requests.calls import Call, Environ

_THROTTLED = {
    "ec2": (503, "RequestLimitExceeded"),
    "s3": (503, "SlowDown"),
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
}
_FAILING = {"ec2": (500, "InternalError"), "s3": (500, "InternalError"), "dynamodb": (500, "InternalServerError")}
_MESSAGES = {"throttled": "Rate exceeded (a fault on demand)", "failing": "An internal error (a fault on demand)"}
_REQUEST = "00000000-0000-0000-0000-000000000000"
_QUERY = (
    "<ErrorResponse><Error><Type>{type}</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
)
_EC2 = (
    "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
    f"<RequestID>{_REQUEST}</RequestID></Response>"
)
_S3 = "<Error><Code>{code}</Code><Message>{message}</Message></Error>"
# https://www.w3.org/TR/xml/#charsets
UNWRITABLE = re.compile("[^\\t\\n\\r -\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_XML = {"ec2": _EC2, "s3": _S3}


def refusal(kind: str, call: Call, environ: Environ) -> Answer | None:
    """The service's refusal of a call that meets a fault of this `kind`; None where the fault refuses nothing."""
    if kind not in _MESSAGES:
        return None
    if kind == "throttled":
        status, code = _THROTTLED.get(call.service, (400, "Throttling"))
    else:
        status, code = _FAILING.get(call.service, (500, "InternalFailure"))
    return answer(call, environ, status, code, _MESSAGES[kind])


def answer(call: Call, environ: Environ, status: int, code: str, message: str) -> Answer:
    """An error in the form that the call's service answers in."""
    if "HTTP_X_AMZ_TARGET" in environ:
        content, body = "application/x-amz-json-1.0", json.dumps({"__type": code, "message": message})
    else:
        sender = "Sender" if status < 500 else "Receiver"
        form = _XML.get(call.service, _QUERY)
        content, body = "text/xml", form.format(code=code, message=escape(printable(message)), type=sender)
    return Answer(f"{status} {HTTPStatus(status).phrase}", (("Content-Type", content),), body.encode())


def printable(text: str) -> str:
    """The text with what XML cannot carry replaced."""
    return UNWRITABLE.sub("\ufffd", text)
