"""What a WSGI server is pointed at: ``tests.wsgi.servable:app``, configured by VIRTREG_CONFIG;
``tests.wsgi.servable:twice`` is the same at the root and below a prefix."""

from __future__ import annotations

import atexit
import os
from pathlib import Path

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from tests.wsgi.doors import PREFIXES
from virtreg import build, load

assembly = build(load(Path(os.environ["VIRTREG_CONFIG"]), os.environ))
atexit.register(assembly.close)
app = assembly.app
twice = DispatcherMiddleware(app, {prefix: app for prefix in PREFIXES if prefix})
