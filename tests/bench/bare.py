"""The yardstick of ingest: Flask that reads the body and says ok, served as the hub is."""

from __future__ import annotations

import sys

from flask import Flask, request

from hub.commands.run import WEB_THREADS
from hub.work.server import serve

app = Flask("bare")


@app.post("/<path:_path>")
def ok(_path: str) -> str:
    request.get_data(cache=False)
    return "ok"


@app.get("/health")
def health() -> str:
    return "ok"


if __name__ == "__main__":
    serve(app, "127.0.0.1", int(sys.argv[1]), threads=WEB_THREADS)
