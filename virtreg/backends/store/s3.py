"""A bucket that speaks S3, by s3fs: bodies streamed, uploads in parts, every exchange bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Generator
from concurrent.futures import Future
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from virtreg.backends.store.places import AnyPlace, Found, Limits
from virtreg.backends.store.trouble import is_absent, is_no_such_part

T = TypeVar("T")

OPTIONS: Final[dict[str, Any]] = {
    # A list that is kept never learns what others put.
    "use_listings_cache": False,
    "config_kwargs": {
        "connect_timeout": 3,
        "read_timeout": 6,
        "retries": {"mode": "standard", "total_max_attempts": 2},
        # A body that a slow client reads holds a connection.
        "max_pool_connections": 1000,
        # Of links too, which would be signed in a way that is not taken everywhere any more.
        "signature_version": "s3v4",
        # Not every server knows the newer checksums; the key is one that is checked anyway.
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
    },
}

PART: Final = 8 * 1024 * 1024
"""Bytes of a part of an upload; a body of twice as many goes up whole."""

_MOST_PARTS: Final = 10_000
"""Of one upload (Amazon S3 User Guide, Multipart upload limits)."""

_PARALLEL: Final = 3
"""Parts on their way at a time; with their size, the memory of an upload."""

_PIECE: Final = 1024 * 1024
"""Bytes of a streamed body that are handed over at a time; twice as many are held."""

_RESUMED: Final = 1
"""How often in a row a body that breaks off without a byte is asked for again."""


class S3Place(AnyPlace):
    """The protocol Place. ``filesystem`` is an ``s3fs.S3FileSystem``. Raises what getting
    credentials raises.

    A body is one request as long as nothing breaks; the memory of a read is 2 MiB, of an upload
    some 24 MiB. A process that is killed amid an upload leaves parts behind, which only a
    lifecycle rule of the bucket removes.
    """

    def __init__(self, filesystem: Any, base: str, limits: Limits) -> None:
        super().__init__(filesystem, base, limits)
        # Its own, on top of those above, would wait for minutes.
        filesystem.retries = 1
        self._loop: asyncio.AbstractEventLoop = filesystem.loop
        self._wait(filesystem.set_session(), limits.opening)

    def find(self, path: str) -> Found:
        # Unlike the answer to HEAD, that to GET says what is missing: object or bucket.
        try:
            got = self._wait(self._ask("get_object", path, Range="bytes=0-0"))
        except Exception as error:
            if not is_no_such_part(error):
                raise
            got = self._wait(self._ask("head_object", path))
            size = int(got["ContentLength"])
        else:
            # To its end, so that its connection can be used again.
            self._wait(got["Body"].read())
            size = _whole(got)
        return Found(path.rpartition("/")[2], size, got["LastModified"].timestamp())

    def read(self, path: str, start: int, stop: int, size: int) -> Generator[bytes, None, None]:
        at, failures = start, 0
        while at < stop:
            asked = self._ask("get_object", path, Range=f"bytes={at}-{stop - 1}")
            try:
                got = self._wait(asked)
            except Exception as error:
                if at == start or is_absent(error) or failures >= _RESUMED:
                    raise
                failures += 1
                continue
            failures += 1
            with closing(_Stream(self._loop, got["Body"], self._limits.patience)) as stream:
                if _whole(got) != size or _start(got) != at:
                    return
                try:
                    while piece := stream.next():
                        at += len(piece)
                        failures = 0
                        yield piece
                except Exception:
                    if failures > _RESUMED:
                        raise
            if failures > _RESUMED:
                raise TimeoutError("the body breaks off")

    def put(self, path: str, content: Path | bytes) -> None:
        if isinstance(content, bytes):
            self._wait(self._ask("put_object", path, Body=content), self._limits.part)
            return
        size = content.stat().st_size
        with content.open("rb") as file:
            if size < 2 * PART:
                self._wait(self._ask("put_object", path, Body=file.read()), self._limits.part)
            else:
                self._put_parts(path, file, max(PART, -(-size // _MOST_PARTS)))

    def link(self, path: str, media_type: str, seconds: int) -> str | None:
        url: str = self._wait(
            self._filesystem._url(
                f"{self._base}/{path}",
                expires=seconds,
                ResponseContentType=media_type,
                # Nothing is shown as a page of the bucket's own origin, and no cache that others
                # share keeps what was for one.
                ResponseContentDisposition="attachment",
                ResponseCacheControl="private",
            )
        )
        return url

    def _put_parts(self, path: str, file: BinaryIO, length: int) -> None:
        upload = self._wait(self._ask("create_multipart_upload", path))["UploadId"]
        sent: deque[tuple[int, Future[Any]]] = deque()
        parts: list[dict[str, Any]] = []

        def settle(left: int) -> None:
            while len(sent) > left:
                number, future = sent.popleft()
                put = _result(future, self._limits.part)
                parts.append({"PartNumber": number, "ETag": put["ETag"]})

        try:
            for number, part in enumerate(iter(lambda: file.read(length), b""), 1):
                asked = self._ask(
                    "upload_part", path, UploadId=upload, PartNumber=number, Body=part
                )
                sent.append((number, self._begin(asyncio.wait_for(asked, self._limits.part))))
                settle(_PARALLEL - 1)
            settle(0)
            done = self._ask(
                "complete_multipart_upload",
                path,
                UploadId=upload,
                MultipartUpload={"Parts": parts},
            )
            self._wait(done, self._limits.completion)
        except BaseException:
            for _, future in sent:
                future.cancel()
            with suppress(Exception):
                self._wait(self._ask("abort_multipart_upload", path, UploadId=upload))
            raise

    def _ask(self, method: str, path: str, **more: Any) -> Coroutine[Any, Any, Any]:
        bucket, key, _ = self._filesystem.split_path(f"{self._base}/{path}")
        asked: Coroutine[Any, Any, Any] = self._filesystem._call_s3(
            method, Bucket=bucket, Key=key, **more
        )
        return asked

    def _wait(self, asked: Coroutine[Any, Any, T], patience: float | None = None) -> T:
        return _result(self._begin(asked), patience or self._limits.patience)

    def _begin(self, asked: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(asked, self._loop)


class _Stream:
    """One body, a piece ahead of who reads it. One thread's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, body: Any, patience: float) -> None:
        self._loop = loop
        self._body = body
        self._patience = patience
        self._coming = self._begin()

    def next(self) -> bytes:
        """Nothing at the end. Raises TimeoutError after a silence, and what reading raises."""
        piece = _result(self._coming, self._patience)
        if piece:
            self._coming = self._begin()
        return piece

    def close(self) -> None:
        self._coming.cancel()
        with suppress(RuntimeError):  # The loop is gone where the process ends.
            self._loop.call_soon_threadsafe(self._body.close)

    def _begin(self) -> Future[bytes]:
        return asyncio.run_coroutine_threadsafe(_piece(self._body), self._loop)


async def _piece(body: Any) -> bytes:
    pieces: list[bytes] = []
    left = _PIECE
    while left > 0 and (read := await body.read(left)):
        pieces.append(read)
        left -= len(read)
    return b"".join(pieces)


def _result(future: Future[T], patience: float) -> T:
    try:
        return future.result(patience)
    except BaseException:
        # Whoever waits no longer wants no answer either.
        future.cancel()
        raise


def _whole(got: Any) -> int:
    """Bytes of the whole object, from the answer to a request for a part (RFC 9110, 14.4)."""
    told: str | None = got.get("ContentRange")
    return int(got["ContentLength"]) if told is None else int(told.rpartition("/")[2])


def _start(got: Any) -> int:
    """Where the part begins; a service that does not know ranges sends the whole."""
    told: str | None = got.get("ContentRange")
    return 0 if told is None else int(told.removeprefix("bytes ").partition("-")[0])
