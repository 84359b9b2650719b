"""Hooks into how moto reads requests. Each is checked against AWS's own model before moto's methods see it. What they
cannot handle is answered in the service's own form, as an error that no client retries.

Codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html for EC2,
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/CommonErrors.html for the query protocol,
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html for JSON,
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html for S3.
"""

import json
import logging
import re
from collections.abc import Callable
from typing import Any, NoReturn

from moto.core.exceptions import ServiceException
from moto.core.parse import PROTOCOL_PARSERS, QueryParser, RestXMLParser
from moto.core.responses import ActionResult, BaseResponse
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.s3.responses import S3Response
from werkzeug.exceptions import HTTPException

from local_cloud.hooks.hooking import Hook, Hooks
from local_cloud.requests.constraints import Complaint, complaints
from local_cloud.requests.refusals import UNWRITABLE, printable

HOOKS = Hooks()

_EC2 = {"action": "InvalidAction", "missing": "MissingParameter"} | dict.fromkeys(
    ("value", "type"), "InvalidParameterValue"
)
_QUERY = {"action": "InvalidAction"} | dict.fromkeys(("missing", "value", "type"), "ValidationError")
_JSON = {"action": "UnknownOperationException", "type": "SerializationException"} | dict.fromkeys(
    ("missing", "value"), "ValidationException"
)
_S3 = {"action": "MethodNotAllowed", "missing": "InvalidRequest"} | dict.fromkeys(("value", "type"), "InvalidArgument")
_CODES = {"ec2": _EC2, "query": _QUERY, "json": _JSON, "rest-xml": _S3}
# Python reads more as numbers than AWS does: 1_000, ١٢, nan.
_TEXTS = {
    "integer": re.compile("[+-]?[0-9]{1,10}"),
    "long": re.compile("[+-]?[0-9]{1,19}"),
    "boolean": re.compile("true|false", re.IGNORECASE),
    "float": re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"),
}
_SHOWN = 100

log = logging.getLogger(__name__)


class Malformed(ValueError):
    """A value that cannot be read as what it should be."""


# ------------------------------------------------------------------ all services but S3


@HOOKS.before(BaseResponse, "_dispatch")
def _dispatch(
    cloud: Any, original: Hook, response: Any, request: Any, full_url: Any = None, headers: Any = None
) -> Any:
    """moto reads what it can of a request, and stumbles over the rest."""
    try:
        response.setup_class(request, full_url, headers)
        refusal = _objection(response, _given(response, request))
    except Exception as error:  # noqa: BLE001 (a request that moto cannot read is refused, however it fails)
        refusal = _of_what_cannot_be_read(response, error)
    return _told(response, refusal) if refusal else response.call_action()


@HOOKS.before(BaseResponse, "call_action")
def _call_action(cloud: Any, original: Hook, response: Any) -> Any:
    """What moto does not know, or stumbles over, is a 500, which clients repeat as if it would pass."""
    return _carried_out(response, lambda: original(response))


def _given(response: Any, request: Any) -> Any:
    if _protocol(response) == "json":
        return json.loads(request.data or b"{}", parse_constant=_no_number)
    return getattr(response, "params", None)


def _objection(response: Any, given: Any) -> ServiceException | None:
    if not response.boto3_service_name:
        return None
    model, action = get_service_model(response.boto3_service_name), response._get_action()
    if action not in model.operation_names:
        return _unknown(response)
    return _against(response, model.operation_model(action).input_shape, given) if given is not None else None


def _of_what_cannot_be_read(response: Any, error: Exception) -> ServiceException:
    known = get_service_model(response.boto3_service_name).operation_names
    if response._get_action() not in known:
        return _unknown(response)
    return _refusal(response, "type", str(error) or type(error).__name__)


def _unknown(response: Any) -> ServiceException:
    return _refusal(response, "action", f"The action {_cut(response._get_action())} is not valid for this web service.")


# ------------------------------------------------------------------ S3, which moto reads by itself


@HOOKS.before(S3Response, "bucket_response")
def _bucket(cloud: Any, original: Hook, response: Any, request: Any, full_url: Any, headers: Any) -> Any:
    """As `_dispatch`."""
    return _of_s3(response, request, lambda: original(response, request, full_url, headers))


@HOOKS.before(S3Response, "key_response")
def _key(cloud: Any, original: Hook, response: Any, request: Any, full_url: Any, headers: Any) -> Any:
    """As `_dispatch`."""
    return _of_s3(response, request, lambda: original(response, request, full_url, headers))


def _of_s3(response: Any, request: Any, carry_out: Callable[[], Any]) -> Any:
    response.setup_class(request)
    try:
        refusal = _objection_of_s3(response, request)
    except Exception as error:  # noqa: BLE001 (the same)
        refusal = _refusal(response, "type", str(error) or type(error).__name__)
    return response._send_response(_told(response, refusal)) if refusal else _carried_out(response, carry_out)


def _objection_of_s3(response: Any, request: Any) -> ServiceException | None:
    try:
        operation, in_path = get_service_router("s3").match(request)
    except HTTPException:  # what is no operation, such as a form's upload: moto knows
        return None
    asked: Any = {"method": request.method, "values": request.args, "headers": request.headers, "body": request.data}
    asked |= {"url_path": request.path, "url_params": in_path}
    given = PROTOCOL_PARSERS["rest-xml"](operation).parse(asked)
    return _against(response, operation.input_shape, given)


# ------------------------------------------------------------------ what comes as text


def _must_read_as(kind: str) -> Hook:
    def read(cloud: Any, original: Hook, parser: Any, shape: Any, query_params: Any, prefix: str = "") -> Any:
        """moto reads it as Python does."""
        text = query_params.get(prefix)
        if isinstance(text, str) and not _TEXTS[kind].fullmatch(text):
            raise Malformed(f"Value ({_cut(text)}) for parameter {_cut(prefix)} is invalid. It must be of type {kind}.")
        return original(parser, shape, query_params, prefix)

    return read


for _name, _kind in {
    "integer": "integer",
    "long": "long",
    "boolean": "boolean",
    "float": "float",
    "double": "float",
}.items():
    HOOKS.before(QueryParser, f"_parse_{_name}")(_must_read_as(_kind))


@HOOKS.before(QueryParser, "_default_handle")
def _text(cloud: Any, original: Hook, parser: Any, shape: Any, value: Any, prefix: str = "") -> Any:
    """moto keeps what XML cannot carry, and no client can read the answers that hold it."""
    return _writable(original(parser, shape, value, prefix), prefix)


@HOOKS.before(RestXMLParser, "_parse_string")
def _text_of_s3(cloud: Any, original: Hook, parser: Any, shape: Any, text: Any) -> Any:
    """As `_text`."""
    return _writable(original(parser, shape, text), shape.name)


def _writable(value: Any, name: str) -> Any:
    if isinstance(value, str) and (found := UNWRITABLE.search(value)):
        raise Malformed(f"Value for parameter {_cut(name)} is invalid. It has the character {ord(found[0]):#x}.")
    return value


# ------------------------------------------------------------------ refusals


def _carried_out(response: Any, carry_out: Callable[[], Any]) -> Any:
    try:
        return carry_out()
    except NotImplementedError as error:
        refusal = _refusal(response, "action", f"The local cloud does not know this: {error}")
    except Exception as error:
        log.exception("%s.%s", response.service_name, response._get_action())
        refusal = _refusal(response, "value", f"The local cloud cannot do this: {error!r}")
    return _told(response, refusal)


def _against(response: Any, shape: Any, given: Any) -> ServiceException | None:
    found = complaints(shape, given) if shape is not None else []
    if not found:
        return None
    worst = next((each for each in found if each.kind == "type"), found[0])
    if _protocol(response) in ("ec2", "rest-xml") or worst.kind == "type":
        return _refusal(response, worst.kind, _in_ec2s_words(worst))
    told = "; ".join(map(_in_others_words, found))
    return _refusal(response, worst.kind, f"{len(found)} validation error{'s' * (len(found) > 1)} detected: {told}")


def _in_ec2s_words(complaint: Complaint) -> str:
    if complaint.kind == "missing":
        return f"The request must contain the parameter {complaint.name}"
    return f"Value ({complaint.value}) for parameter {complaint.name} is invalid. It must {complaint.rule}."


def _in_others_words(complaint: Complaint) -> str:
    value = "null" if complaint.kind == "missing" else f"'{complaint.value}'"
    path = complaint.name[:1].lower() + complaint.name[1:]
    return f"Value {value} at '{path}' failed to satisfy constraint: Member must {complaint.rule}"


def _refusal(response: Any, kind: str, message: str) -> ServiceException:
    """moto finds an error's service, and so its form, by the module of its class."""
    of = type("Refusal", (ServiceException,), {"__module__": f"moto.{response.service_name}.exceptions"})
    refusal: ServiceException = of(_CODES.get(_protocol(response), _QUERY)[kind], printable(message))
    return refusal


def _told(response: Any, refusal: ServiceException) -> Any:
    status, headers, body = response.serialized(ActionResult(refusal))
    return status, {**headers, "status": str(status)}, body


def _protocol(response: Any) -> str:
    return str(get_service_model(response.boto3_service_name).protocol) if response.boto3_service_name else ""


def _no_number(text: str) -> NoReturn:
    raise Malformed(f"{text} is no number of JSON's.")


def _cut(text: Any) -> str:
    return str(text)[:_SHOWN]
