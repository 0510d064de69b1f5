"""A Flask application with its own page at / and virtual registries below /packages.

    python examples/flask_host.py

Then point Maven at http://127.0.0.1:5000/packages/maven/main/. The environment may name another
upstream (VIRTREG_UPSTREAM, and VIRTREG_ALLOW_PRIVATE=10.0.0.0/8 when it is not on the internet),
a folder for the cache (VIRTREG_CACHE) and a port (PORT).
"""

from __future__ import annotations

import atexit
import os
from pathlib import Path

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from virtreg import Config, RegistrySpec, StorageConfig, UpstreamSpec, build

upstream = UpstreamSpec(
    name="central",
    url=os.environ.get("VIRTREG_UPSTREAM", "https://repo1.maven.org/maven2"),
    allow_private=tuple(os.environ.get("VIRTREG_ALLOW_PRIVATE", "").split()),
)
registry = RegistrySpec(id=1, name="main", format="maven", upstreams=(upstream,))
storage = StorageConfig(path=Path(os.environ.get("VIRTREG_CACHE", "virtreg-data")))

# In the process that serves, not before a fork: threads and connections start here.
assembly = build(Config(registries=(registry,), storage=storage))
atexit.register(assembly.close)

app = Flask(__name__)


@app.get("/")
def home() -> dict[str, int]:
    return {"packages served": assembly.stats()["requests"]}


app.wsgi_app = DispatcherMiddleware(  # type: ignore[method-assign]
    app.wsgi_app, {"/packages": assembly.app}
)

if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "5000")), threaded=True)
