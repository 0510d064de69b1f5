"""A client that only counts: ``python -m benchmarks.drain URL TIMES CLIENTS``.

Bodies are dropped inside the kernel (MSG_TRUNC, tcp(7)), so that the server is what is measured.
Prints one JSON object: ``bytes``, ``seconds``, ``latency`` (seconds to the first byte of a body,
median over transfers).
"""

from __future__ import annotations

import json
import re
import socket
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

_PIECE = 4 * 1024 * 1024


def drain(url: str) -> tuple[int, float]:
    """GET once; body bytes and seconds to the first of them. SystemExit unless 200 and whole."""
    parts = urlsplit(url)
    started = time.perf_counter()
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=120) as connection:
        head = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = connection.recv(4096)
            if not piece:
                raise SystemExit(f"{url}: no answer")
            answer += piece
        head_bytes, _, body = answer.partition(b"\r\n\r\n")
        if not re.match(rb"HTTP/1\.1 200\b", head_bytes):
            raise SystemExit(f"{url}: {head_bytes.splitlines()[0].decode('latin-1')}")
        buffer, size, first = bytearray(_PIECE), len(body), 0.0
        if size:
            first = time.perf_counter() - started
        while taken := connection.recv_into(buffer, _PIECE, socket.MSG_TRUNC):
            first = first or time.perf_counter() - started
            size += taken
    declared = re.search(rb"(?im)^content-length:\s*(\d+)", head_bytes)
    if declared and int(declared[1]) != size:
        raise SystemExit(f"{url}: cut after {size} of {int(declared[1])} bytes")
    return size, first


def main(url: str, times: int, clients: int) -> None:
    """Each of ``clients`` threads asks ``times`` times, one after the other."""
    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        transfers = list(threads.map(lambda _: drain(url), range(times * clients)))
    seconds = time.perf_counter() - started
    first = statistics.median(first for _, first in transfers)
    total = sum(size for size, _ in transfers)
    print(json.dumps({"bytes": total, "seconds": seconds, "latency": first}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
