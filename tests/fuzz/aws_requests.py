"""Requests made from AWS's own models, right or nearly so, and what is wrong with them put in on the wire.

All chance comes from one seeded generator, so that a seed is a request.
"""

import json
import random
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from werkzeug.test import EnvironBuilder, run_wsgi_app

SERVICES = ("ec2", "autoscaling", "elbv2", "elb", "s3", "dynamodb", "sts")
MODELS = {name: ServiceModel(Loader().load_service_model(name, "service-2"), name) for name in SERVICES}
SIGNED_FOR = {"elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing"}
ODD_TEXTS = ("", " ", "0", "-1", "99999", "2147483648", "1e999", "nan", "true", "\x00", "٣", "💥", "<a>&amp;", "../..",
             "i-0123456789abcdef0", "arn:aws:x", "x" * 300, "{}", "[", "a.b.c", "%", "'", "\r\n")  # fmt: skip
ODD_NUMBERS = (0, -1, 1, 17, 2**31 - 1, -(2**31), 99_999)
ODD_VALUES: tuple[Any, ...] = (None, True, 0, -1, 1.5, 2**70, "", "x", [], {}, [[]], {"S": 1}, [None])
ODD_SUFFIXES = (".1", ".999999999", ".member.1", ".x.y", ".")
DEEPEST = 4

Wire = dict[str, Any]
"""A request as botocore serializes it, before it is signed: method, url_path, query_string, headers, body."""


def request_of(operation: OperationModel, chance: random.Random, known: Sequence[str]) -> Wire:
    """A request for the operation, half of the time with something in it that no SDK would send."""
    shape = operation.input_shape
    wire = _serialized(operation, _Values(chance, known).of(shape) if shape else {})
    return _mutated(wire, chance) if chance.random() < 0.5 else wire


def send(application: Any, operation: OperationModel, wire: Wire) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body of the answer."""
    service = str(operation.service_model.service_name)
    scope = f"local/20261127/eu-west-1/{SIGNED_FOR.get(service, service)}/aws4_request"
    signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    path, _, query = wire["url_path"].partition("?")
    asked = {**dict(parse_qsl(query, keep_blank_values=True)), **dict(wire["query_string"] or {})}
    body = wire["body"]
    builder = EnvironBuilder(
        path,
        "http://127.0.0.1:5600",
        asked or None,
        wire["method"],
        headers={key: str(value).strip() for key, value in {**wire["headers"], **signed}.items()},
        data=urlencode(body).encode() if isinstance(body, dict) else body or b"",
    )
    said, status, headers = run_wsgi_app(application, builder.get_environ())
    return int(status.split()[0]), {key.lower(): value for key, value in headers.items()}, b"".join(said)


def error_code(operation: OperationModel, status: int, headers: Mapping[str, str], body: bytes) -> str:
    """The code that an SDK reads out of an error; empty where it finds none. S3 tells a HEAD nothing."""
    if operation.service_model.protocol == "rest-xml" and not body:
        return "none"
    answered = {"body": body, "headers": headers, "status_code": status}
    shape: Any = operation.output_shape
    code = str(create_parser(operation.service_model.protocol).parse(answered, shape)["Error"]["Code"])
    return "" if code == str(status) else code


class _Values:
    """Values that mostly are what the model asks for; `known` are names and ids of what is there."""

    def __init__(self, chance: random.Random, known: Sequence[str]) -> None:
        self._chance, self._known = chance, known

    def of(self, shape: Any, depth: int = 0) -> Any:
        makers: dict[str, Callable[[Any, int], Any]] = {
            "structure": self._structure,
            "list": self._list,
            "map": self._map,
        }
        return makers.get(shape.type_name, self._scalar)(shape, depth)

    def _structure(self, shape: Any, depth: int) -> dict[str, Any]:
        likely = 0 if depth >= DEEPEST else 2 / (len(shape.members) + 1)
        wanted = [
            name
            for name in shape.members
            if self._chance.random() < (0.95 if name in shape.required_members else likely)
        ]
        return {name: self.of(shape.members[name], depth + 1) for name in wanted}

    def _list(self, shape: Any, depth: int) -> list[Any]:
        few = self._chance.choice((0, 1, 1, 2)) if depth < DEEPEST else 0
        return [self.of(shape.member, depth + 1) for _ in range(few)]

    def _map(self, shape: Any, depth: int) -> dict[str, Any]:
        return {} if depth >= DEEPEST else {"key": self.of(shape.value, depth + 1)}

    def _scalar(self, shape: Any, _: int) -> Any:
        choices: Mapping[str, Iterable[Any]] = {
            "boolean": (False, False, True),
            "float": (0.0, -1.5, 1e308, 3),
            "double": (0.0, -1.5, 1e308, 3),
            "timestamp": ("2026-11-27T00:00:00Z", "1970-01-01T00:00:00Z", 0, 4102444800),
            "blob": (b"", b"\x00\xff", b"#!/bin/sh\n"),
        }
        if shape.type_name in choices:
            return self._chance.choice(tuple(choices[shape.type_name]))
        return self._text(shape) if shape.type_name == "string" else self._number(shape)

    def _number(self, shape: Any) -> int:
        least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 100)
        return self._chance.choice((*ODD_NUMBERS, *(self._chance.randint(least, max(least, most)) for _ in range(9))))

    def _text(self, shape: Any) -> str:
        if shape.enum and self._chance.random() < 0.9:
            return str(self._chance.choice(shape.enum))
        if self._chance.random() < 0.2:
            return self._chance.choice(ODD_TEXTS)
        return self._chance.choice((*self._known, "".join(self._chance.choices(string.ascii_lowercase, k=8))))


def _serialized(operation: OperationModel, given: Mapping[str, Any]) -> Wire:
    serializer = create_serializer(operation.service_model.protocol, include_validation=False)
    try:
        return dict(serializer.serialize_to_request(given, operation))
    except (BotoCoreError, KeyError, TypeError, ValueError, AttributeError):  # S3's path takes a bucket
        return {"url_path": "/", "query_string": {}, "method": "POST", "headers": {}, "body": b""}


def _mutated(wire: Wire, chance: random.Random) -> Wire:
    body = wire["body"]
    if isinstance(body, dict):
        return {**wire, "body": _odd_form(dict(body), chance)}
    if "X-Amz-Target" in wire["headers"]:
        return {**wire, "body": json.dumps(_odd_json(json.loads(body or b"{}"), chance)).encode()}
    if chance.random() < 0.3:
        return {**wire, "query_string": {chance.choice(("max-keys", "uploadId", "partNumber", "x")): "٣"}}
    if chance.random() < 0.3:
        odd = chance.choice(("x-amz-acl", "range", "x-amz-copy-source", "if-modified-since", "content-md5"))
        return {**wire, "headers": {**wire["headers"], odd: chance.choice(("", "x", "bytes=5-1", "/a"))}}
    return {**wire, "body": (body or b"") + chance.choice((b"<", b"\x00", b"</x>", b"{" * 500))}


def _odd_form(form: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    name = chance.choice(sorted(form))
    kind = chance.random()
    if kind < 0.5:
        form[name] = chance.choice(ODD_TEXTS)
    elif kind < 0.7:
        del form[name]
    else:
        form[f"{name}{chance.choice(ODD_SUFFIXES)}"] = form.pop(name)
    return form


def _odd_json(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict) and value and chance.random() < 0.8:
        name = chance.choice(sorted(value))
        return {**value, name: _odd_json(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        return [_odd_json(value[0], chance), *value[1:]]
    return chance.choice(ODD_VALUES)
