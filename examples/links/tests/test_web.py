from pathlib import Path

import pytest
from flask.testing import FlaskClient

from links.web import app


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return app(tmp_path).test_client()


def test_a_short_link_leads_to_its_address(client: FlaskClient) -> None:
    made = client.post("/links", json={"url": "https://example.invalid/long"})

    followed = client.get(made.headers["Location"])

    assert (made.status_code, followed.status_code) == (201, 302)
    assert followed.headers["Location"] == "https://example.invalid/long"


def test_the_page_counts_clicks(client: FlaskClient) -> None:
    code = client.post("/links", data={"url": "http://example.invalid/"}).get_json()["code"]
    client.get(f"/{code}")
    client.get(f"/{code}")

    assert "<td>2</td>" in client.get("/").text


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "https://", "no address"])
def test_what_is_no_web_address_is_refused(client: FlaskClient, url: str) -> None:
    assert client.post("/links", json={"url": url}).status_code == 400


def test_an_unknown_code_is_not_found(client: FlaskClient) -> None:
    assert client.get("/nothing").status_code == 404


def test_links_outlive_the_process(tmp_path: Path) -> None:
    made = app(tmp_path).test_client().post("/links", json={"url": "https://example.invalid/"})

    assert app(tmp_path).test_client().get(made.headers["Location"]).status_code == 302


def test_it_is_healthy_and_says_who_it_is(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLICATION_VERSION", "1.4.0-1")
    monkeypatch.setenv("INSTANCE_ID", "i-0f3a")
    monkeypatch.setenv("IMAGE_ID", "ami-0b79")

    assert client.get("/health").status_code == 200
    assert client.get("/version").get_json() == {"version": "1.4.0-1", "instance": "i-0f3a", "image": "ami-0b79"}


def test_nobody_can_make_it_sleep(client: FlaskClient) -> None:
    assert client.get("/slow").status_code == 404
