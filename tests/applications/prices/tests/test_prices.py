from fastapi.testclient import TestClient

from prices import app

client = TestClient(app)


def test_prices_are_added_up() -> None:
    assert client.post("/sum", json={"prices": [1.5, 2.25]}).json() == {"sum": 3.75}


def test_what_is_no_price_is_refused() -> None:
    assert client.post("/sum", json={"prices": ["free"]}).status_code == 422
