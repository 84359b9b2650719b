import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from bakeroll.apt.keys import GnupgKey, local_key
from bakeroll.aws.s3 import S3Objects
from bakeroll.events import Event
from bakeroll.process import run
from bakeroll.release import Package
from bakeroll.settings import RepositorySettings

MakePackage = Callable[..., Package]


class OneWriteAtATime:
    """moto's S3 checks a condition and writes without a lock between; S3 itself does both as one."""

    def __init__(self, app: Any) -> None:
        self.app, self.lock = app, threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "PUT":
            return list(self.app(environ, start_response))
        with self.lock:
            return list(self.app(environ, start_response))


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """moto's S3, reached over HTTP as apt reaches it."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    app = OneWriteAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def repository(request: pytest.FixtureRequest) -> RepositorySettings:
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    return RepositorySettings(bucket=f"apt-{name}", suite="dev")


@pytest.fixture
def store(endpoint: str, repository: RepositorySettings, monkeypatch: pytest.MonkeyPatch) -> S3Objects:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket=repository.bucket)
    anybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    statement = anybody | {"Resource": f"arn:aws:s3:::{repository.bucket}/*"}
    client.put_bucket_policy(
        Bucket=repository.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    return S3Objects(client, repository.bucket)


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> GnupgKey:
    return local_key(tmp_path_factory.mktemp("key"), run=run)


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> GnupgKey:
    return local_key(tmp_path_factory.mktemp("stranger"), run=run)


@pytest.fixture
def make_package(tmp_path: Path) -> MakePackage:
    def make(version: str, *, name: str = "links", content: str = "", architecture: str = "amd64") -> Package:
        tree = tmp_path / f"{name}-{version}-{architecture}-{content}"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "opt").mkdir()
        (tree / "opt" / "content").write_text(content or version)
        (tree / "DEBIAN" / "control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n"
            "Maintainer: Nobody <nobody@example.invalid>\nDescription: for a test\n it holds next to nothing\n"
        )
        path = tmp_path / f"{tree.name}.deb"
        run(["dpkg-deb", "-Zgzip", "--root-owner-group", "--build", str(tree), str(path)])
        data = path.read_bytes()
        return Package(name, version, architecture, path, hashlib.sha256(data).hexdigest(), len(data))

    return make


@pytest.fixture
def events() -> list[Event]:
    return []
