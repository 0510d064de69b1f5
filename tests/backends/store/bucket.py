"""A bucket of moto's, served by threads of this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

from moto.server import ThreadedMotoServer


@contextmanager
def moto_bucket() -> Iterator[dict[str, Any]]:
    """Yields s3fs arguments for a server that has an empty ``s3://bucket``."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        access: dict[str, Any] = {
            "key": "virtreg-test",
            "secret": "virtreg-test-secret",
            "client_kwargs": {
                "endpoint_url": f"http://127.0.0.1:{port}",
                "region_name": "us-east-1",
            },
        }
        with urlopen(Request(f"http://127.0.0.1:{port}/bucket", method="PUT")):
            pass
        yield access
    finally:
        server.stop()
