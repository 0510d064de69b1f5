from __future__ import annotations

import http.client
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import BinaryIO, Self
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import FileWrapper

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.serving import make_server

from virtreg.core.conditional import Full, Partial
from virtreg.core.multipart import MultipartPlan, multipart
from virtreg.core.ranges import select_ranges
from virtreg.errors import StorageError, UpstreamUnavailable
from virtreg.protocols import Body, HasFile
from virtreg.wsgi.transfer import Transfer, transfer

CONTENT = bytes(range(256)) * 4


class Bytes:
    """A body of bytes in pieces that counts how often it is closed. ``size`` may be a lie."""

    def __init__(
        self, content: bytes, *, size: int | None = None, piece: int = 100, repeat: int = 1
    ) -> None:
        self.content = content
        self.size = size
        self.piece = piece
        self.repeat = repeat
        self.reading = 0
        self.closes = 0
        self.closed = Event()

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        wanted = self.content[start:stop]
        self.reading += 1
        try:
            for _ in range(self.repeat):
                for at in range(0, len(wanted), self.piece):
                    yield wanted[at : at + self.piece]
        finally:
            self.reading -= 1

    def close(self) -> None:
        assert self.reading == 0, "closed under a reader"
        self.closes += 1
        self.closed.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Failing(Bytes):
    """Gives up after its content."""

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        yield from super().read(start, stop)
        raise UpstreamUnavailable("connection cut", upstream="central")


class OneFile(Bytes):
    """A body that is a file."""

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        super().__init__(content, size=len(content))
        self.path = path

    def file(self) -> BinaryIO:
        return self.path.open("rb")


class NoFile(OneFile):
    """A body whose file is gone."""

    def file(self) -> BinaryIO:
        raise StorageError("the blob is gone")


def whole(content: bytes = CONTENT) -> Bytes:
    return Bytes(content, size=len(content))


def sent(iterable: Iterable[bytes]) -> bytes:
    return b"".join(iterable)


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_full_sends_the_whole_body(size: int | None) -> None:
    body = Bytes(CONTENT, size=size)
    assert sent(transfer(body, Full())) == CONTENT
    assert body.closes == 1


def test_an_empty_body_is_sent_as_nothing() -> None:
    body = whole(b"")
    assert list(transfer(body, Full())) == []
    assert body.closes == 1


@given(st.binary(max_size=50), st.integers(1, 60), st.integers(0, 60), st.integers(0, 60))
def test_one_range_sends_its_slice(content: bytes, piece: int, first: int, last: int) -> None:
    ranges = select_ranges(f"bytes={first}-{last}", len(content))
    if ranges:
        body = Bytes(content, size=len(content), piece=piece)
        assert sent(transfer(body, Partial(ranges))) == content[first : last + 1]
        assert body.closes == 1


def plan() -> MultipartPlan:
    return multipart("edge", "text/plain", ((500, 900), (0, 10)), len(CONTENT))


def test_several_ranges_send_what_was_planned() -> None:
    body = whole()
    planned = plan()
    answer = sent(transfer(body, planned))
    assert len(answer) == planned.length
    (first, *_), (second, *_) = planned.parts
    assert answer == first + CONTENT[500:900] + second + CONTENT[:10] + planned.closing
    assert body.closes == 1


def test_several_ranges_need_a_plan() -> None:
    with pytest.raises(ValueError, match="multipart"):
        Transfer(whole(), Partial(((0, 1), (5, 6))))


def test_empty_pieces_are_not_passed_on() -> None:
    class Stuttering(Bytes):
        def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
            for piece in super().read(start, stop):
                yield b""
                yield piece

    body = Stuttering(CONTENT, size=len(CONTENT))
    pieces = list(transfer(body, Full()))
    assert b"" not in pieces
    assert sent(pieces) == CONTENT


@pytest.mark.parametrize(
    "answer",
    [Full(), Partial(((10, len(CONTENT)),)), multipart("edge", None, ((0, 1), (9, 1024)), 1024)],
)
def test_a_body_that_ends_short_is_an_error(answer: Full | Partial | MultipartPlan) -> None:
    body = Bytes(CONTENT[:-1], size=len(CONTENT))
    with pytest.raises(StorageError, match="up to 1023 where 1024 was promised"):
        sent(transfer(body, answer))
    assert body.closes == 1


def test_a_body_that_gives_too_much_is_an_error_before_the_surplus_is_sent() -> None:
    body = Bytes(CONTENT, size=len(CONTENT), repeat=2)
    pieces: list[bytes] = []
    with pytest.raises(StorageError, match="where 1024 was promised"):
        pieces.extend(transfer(body, Full()))
    assert sent(pieces) == CONTENT
    assert body.closes == 1


def test_the_reason_of_a_failing_body_passes_through() -> None:
    body = Failing(CONTENT[:500], size=len(CONTENT))
    with pytest.raises(UpstreamUnavailable, match="connection cut"):
        sent(transfer(body, Full()))
    assert body.closes == 1


def test_a_body_that_fails_before_its_first_piece_fails_at_once() -> None:
    body = Failing(b"", size=5)
    with pytest.raises(UpstreamUnavailable, match="connection cut"):
        Transfer(body, Full()).begin()
    assert body.closes == 1


@pytest.mark.parametrize("content", [b"", CONTENT])
def test_what_was_waited_for_is_sent_all_the_same(content: bytes) -> None:
    body = whole(content)
    begun = Transfer(body, Full())
    begun.begin()
    assert sent(begun) == content
    assert body.closes == 1


@pytest.mark.parametrize("answer", [Full(), Partial(((10, 900),)), plan()])
@pytest.mark.parametrize("pieces", [0, 1, 3])
def test_closing_early_closes_the_body_once(
    answer: Full | Partial | MultipartPlan, pieces: int
) -> None:
    body = whole()
    iterable = Transfer(body, answer)
    for _ in range(pieces):
        assert next(iterable)
    iterable.close()
    iterable.close()
    assert body.closes == 1
    assert list(iterable) == []


def test_closing_after_the_end_changes_nothing() -> None:
    body = whole()
    iterable = Transfer(body, Full())
    assert sent(iterable) == CONTENT
    iterable.close()
    assert body.closes == 1


def test_a_generator_around_it_closes_it() -> None:
    def wrapped(iterable: Transfer) -> Iterator[bytes]:
        yield from iterable

    body = whole()
    outer = wrapped(Transfer(body, Full()))
    next(outer)
    del outer
    assert body.closes == 1


def test_head_sends_nothing_and_closes_at_once(tmp_path: Path) -> None:
    for body in (whole(), in_file(tmp_path)):
        assert list(transfer(body, Full(), head=True, file_wrapper=FileWrapper)) == []
        assert body.closes == 1


def in_file(folder: Path) -> OneFile:
    path = folder / "blob"
    path.write_bytes(CONTENT)
    return OneFile(path)


def test_a_file_goes_to_the_wrapper_of_the_server(tmp_path: Path) -> None:
    body = in_file(tmp_path)
    assert isinstance(body, HasFile)
    answer = transfer(body, Full(), file_wrapper=FileWrapper)
    assert isinstance(answer, FileWrapper)
    assert body.closes == 1
    assert sent(answer) == CONTENT
    answer.close()


def test_the_wrapper_gets_whole_files_only(tmp_path: Path) -> None:
    body = in_file(tmp_path)
    answer = transfer(body, Partial(((0, 10),)), file_wrapper=FileWrapper)
    assert isinstance(answer, Transfer)
    assert sent(answer) == CONTENT[:10]
    unwrapped = transfer(whole(), Full(), file_wrapper=FileWrapper)
    assert isinstance(unwrapped, Transfer)
    assert sent(unwrapped) == CONTENT
    unasked = transfer(in_file(tmp_path), Full())
    assert isinstance(unasked, Transfer)
    assert sent(unasked) == CONTENT


def test_a_body_whose_file_is_gone_is_closed(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(CONTENT)
    body = NoFile(tmp_path / "blob")
    with pytest.raises(StorageError, match="gone"):
        transfer(body, Full(), file_wrapper=FileWrapper)
    assert body.closes == 1


@contextmanager
def serving(body: Body) -> Iterator[int]:
    """The port of a real server that answers one body."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", str(body.size))])
        return transfer(body, Full())

    app: WSGIApplication = application
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_client_notices_a_body_that_ended_short() -> None:
    body = Bytes(CONTENT[:-1], size=len(CONTENT))
    with serving(body) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/")
            with connection.getresponse() as response, pytest.raises(http.client.IncompleteRead):
                response.read()
        finally:
            connection.close()
        assert body.closed.wait(30)
    assert body.closes == 1


def test_a_client_that_goes_away_closes_the_body() -> None:
    block = bytes(65536)
    body = Bytes(block, size=len(block) * 10**6, piece=len(block), repeat=10**6)
    with serving(body) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(1000)
        assert body.closed.wait(30)
    assert body.closes == 1
