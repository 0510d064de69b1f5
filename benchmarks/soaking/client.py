"""``python -m benchmarks.soaking.client``: one client of a soak. Pulls at random, compares with
what is right, prints what it has counted once a second, and ends with its standard input."""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from urllib.parse import urlsplit

from attrs import define, field, frozen

from benchmarks.soaking import content

LIMIT = 60.0
"""Seconds: an answer that takes longer is late."""

_TOLD_EVERY = 1.0
_PIECE = 256 * 1024


@frozen
class Got:
    """``cause`` is empty for a whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cause: str = ""


@define
class Client:
    """``bases`` are URLs of nodes."""

    number: int
    bases: list[str]
    counted: Counter[str] = field(factory=Counter)
    wrong: list[str] = field(factory=list)
    _serial: int = 0
    _dice: random.Random = field(init=False)
    _connections: dict[str, http.client.HTTPConnection] = field(factory=dict)

    @_dice.default
    def _seeded(self) -> random.Random:
        return random.Random(f"client {self.number}")

    def pull(self) -> None:
        """One thing, of a kind chosen by chance."""
        self._serial += 1
        kinds = (self._hot, self._cold, self._list, self._image, self._part, self._head)
        more = (self._again, self._absent, self._checksum)
        weights = (40, 12, 8, 14, 8, 8, 6, 1, 3)
        self._dice.choices([*kinds, *more], weights)[0]()

    def _hot(self) -> None:
        self._file(self._some_hot())

    def _cold(self) -> None:
        self._file(content.cold_file(self.number, self._serial))

    def _file(self, path: str) -> None:
        got = self._get(f"/maven/files/{path}")
        if got.status == 200 and not got.cause:
            self._judge(got.body == content.body(path), path, got)

    def _checksum(self) -> None:
        path = self._some_hot()
        got = self._get(f"/maven/files/{path}.sha1")
        if got.status == 200 and not got.cause:
            right = hashlib.sha1(content.body(path)).hexdigest().encode()
            self._judge(got.body.strip() == right, f"{path}.sha1", got)

    def _list(self) -> None:
        number = self._dice.randrange(content.ARTIFACTS)
        path = content.list_of_versions(number)
        got = self._get(f"/maven/files/{path}")
        if got.status == 200 and not got.cause:
            listed = set(re.findall(r"<version>([^<]+)</version>", got.body.decode()))
            right = {
                version for each in content.MAVEN for version in content.versions(each, number)
            }
            self._judge(listed == right, path, got)

    def _image(self) -> None:
        picture = content.picture(self._dice.randrange(content.IMAGES))
        accept = {"Accept": content.MANIFEST}
        got = self._get(f"/v2/images/{picture.name}/manifests/latest", accept)
        if got.status != 200 or got.cause:
            return
        self._judge(got.body == picture.manifest, f"{picture.name}:latest", got)
        for digest, blob in picture.blobs.items():
            got = self._get(f"/v2/images/{picture.name}/blobs/{digest}")
            if got.status == 200 and not got.cause:
                self._judge(got.body == blob, f"{picture.name}@{digest}", got)

    def _part(self) -> None:
        path = self._some_hot()
        right = content.body(path)
        first = self._dice.randrange(len(right))
        last = min(len(right) - 1, first + self._dice.randrange(100_000))
        got = self._get(f"/maven/files/{path}", {"Range": f"bytes={first}-{last}"})
        if got.status == 206 and not got.cause:
            self._judge(got.body == right[first : last + 1], f"{path} from {first}", got)

    def _head(self) -> None:
        path = self._some_hot()
        got = self._get(f"/maven/files/{path}", method="HEAD")
        if got.status == 200:
            right = str(len(content.body(path)))
            self._judge(got.headers.get("content-length") == right, f"HEAD {path}", got)

    def _again(self) -> None:
        path = self._some_hot()
        tag = f'"{hashlib.sha1(content.body(path)).hexdigest()}"'
        got = self._get(f"/maven/files/{path}", {"If-None-Match": tag})
        if got.status == 200 and not got.cause:
            self._judge(got.body == content.body(path), path, got)

    def _absent(self) -> None:
        path = content.absent_file(self.number, self._serial)
        got = self._get(f"/maven/files/{path}", absent=True)
        if got.status == 200:
            self._judge(False, path, got)

    def _some_hot(self) -> str:
        # A few are pulled most of the time.
        return content.hot_file(min(int(self._dice.expovariate(0.03)), content.ARTIFACTS - 1))

    def _judge(self, right: bool, what: str, got: Got) -> None:
        if not right:
            self.counted["wrong"] += 1
            self.wrong.append(f"{what}: {got.status}, {len(got.body)} bytes: {got.body[:200]!r}")

    def _get(
        self,
        target: str,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        absent: bool = False,
    ) -> Got:
        begin = time.monotonic()
        got = self._ask(target, headers or {}, method)
        self.counted["requests"] += 1
        if time.monotonic() - begin > LIMIT:
            self.counted["late"] += 1
        if got.cause:
            self.counted[f"error: {got.cause}"] += 1
        elif got.status in (502, 503, 504):
            self.counted[f"error: {got.status}"] += 1
        elif got.status not in (200, 206, 304) and not (absent and got.status == 404):
            self._judge(False, target, got)
        return got

    def _ask(self, target: str, headers: Mapping[str, str], method: str) -> Got:
        base = self._dice.choice(self.bases)
        status, told, body = 0, dict[str, str](), bytearray()
        try:
            connection = self._connections.get(base) or self._connect(base)
            connection.request(method, target, headers=dict(headers))
            response = connection.getresponse()
            status = response.status
            told = {name.lower(): value for name, value in response.getheaders()}
            while piece := response.read1(_PIECE):
                body += piece
            response.close()
            length = told.get("content-length")
            if method != "HEAD" and length is not None and int(length) != len(body):
                raise http.client.IncompleteRead(bytes(body))
            if response.will_close:
                self._forget(base)
        except TimeoutError:
            self._forget(base)
            return Got(status, told, b"", "no answer")
        except (http.client.HTTPException, OSError):
            self._forget(base)
            return Got(status, told, b"", "cut body" if status else "no connection")
        return Got(status, told, bytes(body))

    def _connect(self, base: str) -> http.client.HTTPConnection:
        parts = urlsplit(base)
        assert parts.hostname is not None
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=LIMIT)
        self._connections[base] = connection
        return connection

    def _forget(self, base: str) -> None:
        connection = self._connections.pop(base, None)
        if connection is not None:
            connection.close()

    def close(self) -> None:
        for base in list(self._connections):
            self._forget(base)

    def told(self) -> str:
        """One line for who started it."""
        wrong, self.wrong = self.wrong, []
        return json.dumps({"counted": self.counted, "wrong": wrong})


def main() -> None:
    number, *bases = sys.argv[1:]
    client = Client(int(number), bases)
    over = threading.Event()

    def await_end() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=await_end, daemon=True).start()
    told_at = 0.0
    while not over.is_set():
        client.pull()
        if time.monotonic() - told_at > _TOLD_EVERY:
            told_at = time.monotonic()
            print(client.told(), flush=True)
    client.close()
    print(client.told(), flush=True)


if __name__ == "__main__":
    main()
