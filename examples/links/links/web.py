"""The application as the web sees it. gunicorn serves `links.web:app()`."""

import os
import secrets
import time
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from links.store import Store

LONGEST_SLEEP = 30.0


def app(state: Path | None = None) -> Flask:
    """Make the application; `state` is its folder, by default systemd's StateDirectory."""
    flask = Flask(__name__)
    flask.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    folder = state or Path(os.environ.get("STATE_DIRECTORY", "."))
    _public(flask, Store(folder / "links.sqlite"))
    _operations(flask)
    return flask


def _public(flask: Flask, store: Store) -> None:
    @flask.get("/")
    def page() -> str:
        return render_template("page.html", links=store.most_clicked(), version=version())

    @flask.post("/links")
    def add() -> ResponseReturnValue:
        url = str((request.get_json(silent=True) or request.form).get("url", ""))
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            abort(400, "url must begin with http:// or https://")
        code = secrets.token_urlsafe(4)
        while not store.add(code, url):
            code = secrets.token_urlsafe(4)
        return {"code": code, "url": url}, 201, {"Location": f"/{code}"}

    @flask.get("/<code>")
    def follow(code: str) -> ResponseReturnValue:
        url = store.follow(code)
        return redirect(url) if url else abort(404)


def _operations(flask: Flask) -> None:
    @flask.get("/health")
    def health() -> ResponseReturnValue:
        return {"status": "ok"}

    @flask.get("/version")
    def tell_version() -> ResponseReturnValue:
        identity = {"instance": os.environ.get("INSTANCE_ID", ""), "image": os.environ.get("IMAGE_ID", "")}
        return {"version": version(), **identity}

    if os.environ.get("LINKS_SLOW") == "1":  # for trying out how connections drain; never in production

        @flask.get("/slow")
        def slow() -> Response:
            time.sleep(min(request.args.get("seconds", 1.0, float), LONGEST_SLEEP))
            return Response("done\n", mimetype="text/plain")


def version() -> str:
    """The Debian version of the package, told by its systemd unit."""
    return os.environ.get("APPLICATION_VERSION", "unpackaged")
