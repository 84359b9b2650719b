"""httpbin as PyPI has it, and beside it what the roller asks."""

import os

from httpbin import app


@app.get("/version")
def version() -> dict[str, str]:
    return {"version": os.environ["APPLICATION_VERSION"]}
