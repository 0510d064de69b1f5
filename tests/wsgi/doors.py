"""Ways to reach a WSGI application: called, or over HTTP; at the root or below a prefix."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from types import MappingProxyType
from typing import Protocol
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication, WSGIEnvironment
from wsgiref.validate import validator

from attrs import frozen
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import Client

from tests.wsgi.answers import Answer

PREFIXES = ("", "/deep/packages")
Named = Mapping[str, str]
NOTHING: Named = MappingProxyType({})


class Door(Protocol):
    def ask(
        self, method: str, target: str, headers: Named = NOTHING, body: bytes | None = None
    ) -> Answer:
        """One request; ``target`` is percent-encoded, below the application, sent as it is."""
        ...


@frozen
class Called:
    """Calls the application on this thread, as a server that hands on the raw target."""

    app: WSGIApplication
    prefix: str

    def ask(
        self, method: str, target: str, headers: Named = NOTHING, body: bytes | None = None
    ) -> Answer:
        raw = self.prefix + target
        escaped, _, query = raw.partition("?")
        path = unquote_to_bytes(escaped).decode("latin-1")
        environ = {
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "RAW_URI": raw,
            "REQUEST_URI": raw,
        }
        response = Client(self.app).open(
            "/", method=method, headers=dict(headers), data=body, environ_overrides=environ
        )
        with response:
            return Answer(response.status_code, tuple(response.headers), response.data)


@frozen
class Connected:
    """Speaks HTTP/1.1 to a threaded server, on a connection of its own each time."""

    port: int
    prefix: str

    def ask(
        self, method: str, target: str, headers: Named = NOTHING, body: bytes | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, self.prefix + target, body, dict(headers))
            with connection.getresponse() as response:
                return Answer(response.status, tuple(response.getheaders()), response.read())
        finally:
            connection.close()


class _Conversation(WSGIRequestHandler):
    def make_environ(self) -> WSGIEnvironment:
        environ = super().make_environ()
        environ["REMOTE_PORT"] = str(environ["REMOTE_PORT"])  # a number, against PEP 3333
        return environ


def mounted(app: WSGIApplication, prefix: str) -> WSGIApplication:
    """The application below a prefix, held to PEP 3333 on both sides."""
    checked: WSGIApplication = validator(app)
    if not prefix:
        return checked
    # The dispatcher hands on what is left of the path, and the prefix as SCRIPT_NAME.
    nobody: WSGIApplication = NotFound()
    return DispatcherMiddleware(nobody, {prefix: checked})


@contextmanager
def called(app: WSGIApplication, prefix: str) -> Iterator[Door]:
    yield Called(mounted(app, prefix), prefix)


@contextmanager
def served(app: WSGIApplication, prefix: str) -> Iterator[Door]:
    server = make_server(
        "127.0.0.1", 0, mounted(app, prefix), threaded=True, request_handler=_Conversation
    )
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Connected(server.port, prefix)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
