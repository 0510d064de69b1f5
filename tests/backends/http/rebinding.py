"""A program for a network and mounts of its own: fetches from a name whose address changes. Its
argument is a folder for what it writes.

Prints, for each answer of the name server, what came of the fetch, how often the name was asked
for and how many connections the trap at 127.0.0.1 caught.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.backends.http.traps import trap
from virtreg.backends.http import HttpUpstream
from virtreg.errors import EgressRefused
from virtreg.model import Fetch, UpstreamSpec
from virtreg.testing.upstreams import read_all

PUBLIC = "8.8.4.4"
NAME = "rebinding.example.org"
ANSWERS = {
    "public": (PUBLIC,),
    "rebound": ("127.0.0.1",),
    "mixed": (PUBLIC, "10.0.0.1"),
}
_A, _ANY_FLAGS = 1, b"\x81\x80"


class NameServer:
    """Answers every A query with ``addresses``, for no time at all."""

    def __init__(self) -> None:
        self.addresses: Sequence[str] = ()
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            query, peer = self._socket.recvfrom(512)
            end = query.index(b"\0", 12) + 5
            kind = int.from_bytes(query[end - 4 : end - 2])
            found = self.addresses if kind == _A else ()
            self.asked += kind == _A
            records = b"".join(
                b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(address) for address in found
            )
            counts = b"\0\1" + len(found).to_bytes(2) + b"\0\0\0\0"
            answer = query[:2] + _ANY_FLAGS + counts + query[12:end] + records
            self._socket.sendto(answer, peer)


class Public(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "11")
        self.end_headers()
        self.wfile.write(b"public body")

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "address", "add", f"{PUBLIC}/32", "dev", "lo"], check=True)
    _replace("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    _replace("/etc/nsswitch.conf", "hosts: dns\n")
    names = NameServer()
    told: dict[str, object] = {}
    with trap(("127.0.0.1",)) as place:
        server = ThreadingHTTPServer((PUBLIC, place.port), Public)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made = HttpUpstream(UpstreamSpec("up", f"http://{NAME}:{place.port}", read_timeout=5))
        for case, addresses in ANSWERS.items():
            names.addresses, names.asked = addresses, 0
            outcome = _fetch(made)
            told[case] = {"outcome": outcome, "asked": names.asked, "caught": place.caught()}
        made.close()
    json.dump(told, sys.stdout)


def _fetch(made: HttpUpstream) -> str:
    try:
        reply = made.fetch(Fetch("a"))
    except EgressRefused as error:
        return error.message.rpartition(": ")[2]
    try:
        return read_all(reply).decode()
    finally:
        reply.close()


def _replace(path: str, text: str) -> None:
    """What the resolver reads, for this program alone."""
    file = Path(sys.argv[1]) / Path(path).name
    file.write_text(text)
    subprocess.run(["mount", "--bind", str(file), path], check=True)


if __name__ == "__main__":
    main()
