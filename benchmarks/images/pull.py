"""A client that pulls images: ``python -m benchmarks.images.pull BASE REPOSITORY TAG TIMES``.

It asks as container engines do: the version check, HEAD of the tag, the manifest by digest, then
the configuration and the layers, three at a time over connections that stay. What it gets is
dropped. Prints one JSON object: ``pulls``, ``bytes``, ``seconds``, ``latency`` (seconds, median
over pulls).
"""

from __future__ import annotations

import http.client
import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

from benchmarks.images.shelf import MANIFEST

PARALLEL = 3
"""Blobs at once: what engines do unless told otherwise."""


def main(base: str, repository: str, tag: str, times: int) -> None:
    parts = urlsplit(base)
    started = time.perf_counter()
    taken, size = [], 0
    with ThreadPoolExecutor(PARALLEL) as threads:
        for _ in range(times):
            begun = time.perf_counter()
            size += _pull(threads, parts.netloc, f"{parts.path}/{repository}", tag)
            taken.append(time.perf_counter() - begun)
    seen = {
        "pulls": times,
        "bytes": size,
        "seconds": time.perf_counter() - started,
        "latency": statistics.median(taken),
    }
    print(json.dumps(seen))


def _pull(threads: ThreadPoolExecutor, host: str, repository: str, tag: str) -> int:
    """Bytes of one image."""
    with closing(http.client.HTTPConnection(host, timeout=120)) as connection:
        _ask(connection, "GET", "/v2/").read()
        head = _ask(connection, "HEAD", f"{repository}/manifests/{tag}")
        digest = head.getheader("docker-content-digest")
        head.read()
        body = _ask(connection, "GET", f"{repository}/manifests/{digest}").read()
    manifest = json.loads(body)
    wanted = [manifest["config"], *manifest["layers"]]
    # Each connection gets the same share of an image whose big layers are spread evenly.
    shares = [wanted[first::PARALLEL] for first in range(PARALLEL)]
    return len(body) + sum(threads.map(lambda share: _blobs(host, repository, share), shares))


def _blobs(host: str, repository: str, share: list[dict[str, str | int]]) -> int:
    buffer, total = bytearray(1_000_000), 0
    with closing(http.client.HTTPConnection(host, timeout=120)) as connection:
        for wanted in share:
            response = _ask(connection, "GET", f"{repository}/blobs/{wanted['digest']}")
            size = 0
            while taken := response.readinto(buffer):
                size += taken
            if size != wanted["size"]:
                raise SystemExit(f"{wanted['digest']}: {size} of {wanted['size']} bytes")
            total += size
    return total


def _ask(
    connection: http.client.HTTPConnection, method: str, path: str
) -> http.client.HTTPResponse:
    """The answer; SystemExit unless it is 200."""
    connection.request(method, path, headers={"Accept": MANIFEST})
    response = connection.getresponse()
    if response.status != 200:
        raise SystemExit(f"{method} {path}: {response.status} {response.reason}")
    return response


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
