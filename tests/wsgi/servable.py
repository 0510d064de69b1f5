"""What a WSGI server is pointed at: ``tests.wsgi.servable:app``, configured by VIRTREG_CONFIG."""

from __future__ import annotations

import atexit
import os
from pathlib import Path

from virtreg import build, load

assembly = build(load(Path(os.environ["VIRTREG_CONFIG"]), os.environ))
atexit.register(assembly.close)
app = assembly.app
