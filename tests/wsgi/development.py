"""Werkzeug's development server, which Flask runs: ``python -m tests.wsgi.development <port>
<module>:<name>``."""

from __future__ import annotations

import sys

from werkzeug.serving import run_simple
from werkzeug.utils import import_string

if __name__ == "__main__":
    app = import_string(sys.argv[2])
    run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=True)
