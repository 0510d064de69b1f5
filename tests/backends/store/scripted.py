"""A server that speaks as much S3 as it takes to misbehave: one object, GET alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Trick = Callable[["Answering", bytes, int, int], None]
"""Answers for the bytes ``start <= i < stop`` of the content in its own way."""


class Scripted:
    """Serves ``content`` at every key; each request takes the next of ``tricks``, as long as there
    are any."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.tricks: list[Trick] = []
        self.asked: list[str] = []
        """The ranges that were asked for."""
        self.released = threading.Event()
        """Set: who is silent gives up."""
        self.access: dict[str, Any] = {}


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    scripted: Scripted

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.scripted.asked.append(asked)
        first, _, last = asked.removeprefix("bytes=").partition("-")
        trick = self.scripted.tricks.pop(0) if self.scripted.tricks else well
        trick(self, self.scripted.content, int(first), int(last) + 1)

    def begin(self, content: bytes, start: int, stop: int) -> None:
        self.send_response(206)
        self.send_header("Content-Length", str(stop - start))
        self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
        self.send_header("Last-Modified", formatdate(0, usegmt=True))
        self.send_header("ETag", '"one"')
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nobody reads it."""


def well(answering: Answering, content: bytes, start: int, stop: int) -> None:
    stop = min(stop, len(content))
    answering.begin(content, start, stop)
    answering.wfile.write(content[start:stop])


def refusal(status: int, code: str) -> Trick:
    """An error as S3 says it."""

    def refuse(answering: Answering, content: bytes, start: int, stop: int) -> None:
        body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        answering.send_response(status)
        answering.send_header("Content-Length", str(len(body)))
        answering.end_headers()
        answering.wfile.write(body)

    return refuse


def cut_after(count: int) -> Trick:
    """So many bytes, and the connection ends."""

    def cut(answering: Answering, content: bytes, start: int, stop: int) -> None:
        answering.begin(content, start, stop)
        answering.wfile.write(content[start : start + count])
        answering.close_connection = True

    return cut


def silent_after(count: int | None) -> Trick:
    """So many bytes, and then none; None: not even a header."""

    def stall(answering: Answering, content: bytes, start: int, stop: int) -> None:
        if count is not None:
            answering.begin(content, start, stop)
            answering.wfile.write(content[start : start + count])
            answering.wfile.flush()
        answering.scripted.released.wait(60)
        answering.close_connection = True

    return stall


def flipped(answering: Answering, content: bytes, start: int, stop: int) -> None:
    """As many bytes as there are, one of them wrong."""
    answering.begin(content, start, stop)
    answering.wfile.write(content[start : stop - 1] + bytes([content[stop - 1] ^ 1]))


@contextmanager
def scripted_server(content: bytes) -> Iterator[Scripted]:
    scripted = Scripted(content)
    answering = type("Scripted", (Answering,), {"scripted": scripted})
    server = ThreadingHTTPServer(("127.0.0.1", 0), answering)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    scripted.access = {
        "key": "virtreg-test",
        "secret": "hunter2",
        "client_kwargs": {
            "endpoint_url": f"http://127.0.0.1:{server.server_port}",
            "region_name": "us-east-1",
        },
    }
    try:
        yield scripted
    finally:
        scripted.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
