"""The server of the standard library: ``python -m tests.wsgi.plain <port> <module>:<name>``."""

from __future__ import annotations

import sys
from importlib import import_module
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server


class _Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True


if __name__ == "__main__":
    module, _, name = sys.argv[2].partition(":")
    app = getattr(import_module(module), name)
    make_server("127.0.0.1", int(sys.argv[1]), app, server_class=_Threaded).serve_forever()
