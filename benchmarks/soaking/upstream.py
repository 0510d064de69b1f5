"""``python -m benchmarks.soaking.upstream PORT EPOCH``: all upstreams, which are moody.

Below ``/first/`` and ``/second/`` are Maven repositories, below ``/v2/`` are images, and
``/-/moods`` tells how often it misbehaved.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import signal
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from attrs import frozen

from benchmarks.soaking.schedule import troubled
from benchmarks.soaking.truth import IMAGES, MEMBERS, Body, World, is_there, owner
from tests.e2e import images

MOODS = ("refusing", "throttling", "short", "long", "damaging", "login", "holding")
_CHANCE = 0.25
"""How many answers of a mood are as it is."""
_PIECE = 1 << 20


@frozen
class Found:
    """``content`` is all of it, or what tells it."""

    content: bytes | Body
    media_type: str = "application/octet-stream"

    @property
    def size(self) -> int:
        return self.content.size if isinstance(self.content, Body) else len(self.content)

    def part(self, start: int, stop: int) -> bytes:
        if isinstance(self.content, Body):
            return self.content.part(start, stop)
        return self.content[start:stop]

    def digest(self, algorithm: str) -> str:
        if isinstance(self.content, Body):
            return self.content.digest(algorithm)
        return hashlib.new(algorithm, self.content).hexdigest()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, port: int, world: World) -> None:
        super().__init__(("127.0.0.1", port), Conversation)
        self.world = world
        self.moods: Counter[str] = Counter()
        self.chance = random.Random(world.epoch)
        self._blobs: dict[str, Found] = {}
        self._known = -1
        self._lock = threading.Lock()

    def find(self, path: str) -> Found | None:
        member, _, rest = path.removeprefix("/").partition("/")
        if member in MEMBERS:
            return self._maven(member, rest)
        return self._image(rest) if member == "v2" else None

    def mood(self, member: str) -> str | None:
        """How this answer is."""
        now = time.time() - self.world.epoch
        if not troubled(now):
            return None
        mood = random.Random(f"{member} {now // 5}").choice([None, None, *MOODS])
        if mood is None or self.chance.random() > _CHANCE:
            return None
        self.moods[mood] += 1
        return mood

    def _maven(self, member: str, path: str) -> Found | None:
        plain = path.removesuffix(".sha1")
        edition = self.world.edition()
        if plain.endswith("maven-metadata.xml"):
            found = Found(self.world.versions(plain, member, edition), "text/xml")
        elif is_there(plain) and owner(plain) == member and plain.endswith(".jar"):
            found = Found(self.world.file(plain, edition))
        else:
            return None
        return found if path == plain else Found(found.digest("sha1").encode(), "text/plain")

    def _image(self, path: str) -> Found | None:
        if not path:
            return Found(b"{}", "application/json")
        named = re.fullmatch(r"(.+)/(manifests|blobs|tags)/([^/]+)", path)
        if named is None:
            return None
        repository, kind, reference = named.groups()
        edition = self.world.edition()
        if kind == "tags":
            tags = {"name": repository, "tags": ["latest", *(f"e{n}" for n in range(edition + 1))]}
            return Found(json.dumps(tags).encode(), "application/json")
        self._learn(edition)
        if kind == "blobs" or reference.startswith("sha256:"):
            return self._blobs.get(f"{repository} {reference}")
        if reference != "latest":
            return None
        return Found(self.world.manifest(repository, edition), images.OCI_MANIFEST)

    def _learn(self, edition: int) -> None:
        with self._lock:
            while self._known < edition:
                self._known += 1
                for number in range(IMAGES):
                    self._hang(f"soak/i{number}", self._known)

    def _hang(self, repository: str, edition: int) -> None:
        parts: list[Found] = [Found(self.world.config(repository, edition))]
        parts += [Found(each) for each in self.world.layers(repository, edition)[1:]]
        parts.append(Found(self.world.manifest(repository, edition), images.OCI_MANIFEST))
        for part in parts:
            self._blobs[f"{repository} sha256:{part.digest('sha256')}"] = part


class Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server
    timeout = 60

    def do_GET(self) -> None:
        if self.path == "/-/moods":
            self._send(200, json.dumps(self.server.moods).encode())
            return
        found = self.server.find(self.path)
        mood = self.server.mood(self.path.split("/")[1])
        if mood == "refusing":
            self._send(500, b"broken")
        elif mood == "throttling":
            self._send(429, b"too many", {"Retry-After": "1"})
        elif mood == "login":
            self._send(200, b"<!DOCTYPE html><html>Sign in</html>", {"Content-Type": "text/html"})
        elif found is None:
            self._send(404, b"nothing")
        else:
            if mood == "holding":
                time.sleep(2)
            self._answer(found, mood)

    do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so named above
        pass

    def _answer(self, found: Found, mood: str | None) -> None:
        tag = f'"{found.digest("sha1")}"'
        headers = {"ETag": tag, "Content-Type": found.media_type, "Accept-Ranges": "bytes"}
        if self.path.startswith("/v2/"):
            headers["Docker-Content-Digest"] = f"sha256:{found.digest('sha256')}"
        else:
            headers["X-Checksum-Sha1"] = found.digest("sha1")
        if self.headers.get("If-None-Match") == tag:
            self._send(304, b"", headers)
            return
        start, stop, status = 0, found.size, 200
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked and int(asked[1]) < found.size and self.headers.get("If-Range", tag) == tag:
            start = int(asked[1])
            stop = min(found.size, int(asked[2]) + 1) if asked[2] else found.size
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{found.size}"
            status = 206
        length = (
            stop
            - start
            + {"short": 1000, "long": -min(100, (stop - start) // 2)}.get(mood or "", 0)
        )
        self._begin(status, length, headers)
        if self.command == "HEAD":
            return
        for begin in range(start, stop, _PIECE):
            piece = found.part(begin, min(stop, begin + _PIECE))
            if mood == "damaging":
                piece = piece[:-1] + bytes([piece[-1] ^ 1])
            self.wfile.write(piece)
        if mood in ("short", "long"):
            self.close_connection = True

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self._begin(status, None if status == 304 else len(body), headers or {})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _begin(self, status: int, length: int | None, headers: dict[str, str]) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def handle_one_request(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            super().handle_one_request()
            return
        self.close_connection = True


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    Server(int(sys.argv[1]), World(float(sys.argv[2]))).serve_forever()


if __name__ == "__main__":
    main()
