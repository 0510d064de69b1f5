"""The conformance suite of the Upstream protocol."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Literal

from virtreg.model import Fetch, Validators
from virtreg.protocols import Reply, Upstream

_LARGE = bytes(range(256)) * 4096
_FILES = {
    "com/example/a/1.0/a-1.0.jar": _LARGE,
    "com/example/a/1.0/a-1.0.pom": b"<project/>",
    "empty.txt": b"",
    "odd/sp ace/100%/a+b/c;d=e/ü.txt": b"odd",
    "v2/library/x/manifests/sha256:0a": b"{}",
}
_JAR = "com/example/a/1.0/a-1.0.jar"
_POM = "com/example/a/1.0/a-1.0.pom"
_METHODS: tuple[Literal["HEAD", "GET"], ...] = ("HEAD", "GET")


def read_all(reply: Reply, limit: int = 65536) -> bytes:
    """The rest of a body, checking that no piece is longer than the limit."""
    pieces = []
    while piece := reply.read(limit):
        assert len(piece) <= limit
        pieces.append(piece)
    return b"".join(pieces)


class UpstreamSuite:
    """Subclass it as ``Test…`` and say how to make an upstream that has the given files."""

    def make_upstream(self, files: dict[str, bytes]) -> AbstractContextManager[Upstream]:
        """An upstream with exactly these files, closed (with what is behind it) on exit."""
        raise NotImplementedError

    def test_every_file_is_found_byte_for_byte(self) -> None:
        with self.make_upstream(_FILES) as upstream:
            for path, body in _FILES.items():
                reply = upstream.fetch(Fetch(path))
                assert reply.status == 200
                assert reply.length in (len(body), None)
                assert read_all(reply) == body
                assert reply.read(1) == b""
                reply.close()

    def test_absent_is_a_status_and_not_an_error(self) -> None:
        with self.make_upstream(_FILES) as upstream:
            for path in ("nowhere", "com/example", "com/example/a/1.0/a-1.0.jar.sha1", "com%2F"):
                reply = upstream.fetch(Fetch(path))
                assert reply.status in (404, 410)
                reply.close()

    def test_header_names_are_lower_case(self) -> None:
        with self.make_upstream(_FILES) as upstream:
            reply = upstream.fetch(Fetch(_POM))
            assert reply.headers
            assert all(name == name.lower() for name in reply.headers)
            reply.close()

    def test_a_head_has_headers_and_no_body(self) -> None:
        with self.make_upstream(_FILES) as upstream:
            reply = upstream.fetch(Fetch(_JAR, method="HEAD"))
            assert reply.status == 200
            assert reply.length in (len(_LARGE), None)
            assert reply.read(1) == b""
            reply.close()

    def test_heads_and_bodies_may_take_turns(self) -> None:
        with self.make_upstream(_FILES) as upstream:
            for _ in range(2 * upstream.spec.max_connections):
                for method in _METHODS:
                    reply = upstream.fetch(Fetch(_POM, method=method))
                    assert reply.status == 200
                    assert reply.length in (len(_FILES[_POM]), None)
                    assert read_all(reply) == (_FILES[_POM] if method == "GET" else b"")
                    reply.close()

    def test_a_head_of_nothing_is_absent(self) -> None:
        with self.make_upstream(_FILES) as upstream:
            reply = upstream.fetch(Fetch("nowhere", method="HEAD"))
            assert reply.status in (404, 410)
            assert reply.read(1) == b""
            reply.close()

    def test_a_query_is_no_part_of_the_path(self) -> None:
        with self.make_upstream(_FILES) as upstream:
            for query in ((("n", "1000"),), (("last", "a b/?&=#%"), ("n", ""))):
                reply = upstream.fetch(Fetch(_POM, query=query))
                assert reply.status == 200
                assert read_all(reply) == _FILES[_POM]
                reply.close()

    def test_a_scope_changes_nothing_where_no_token_is_wanted(self) -> None:
        with self.make_upstream(_FILES) as upstream:
            reply = upstream.fetch(Fetch(_POM, scope="repository:a/b:pull", metered=True))
            assert read_all(reply) == _FILES[_POM]
            reply.close()

    def test_a_part_is_that_part_or_the_whole(self) -> None:
        with self.make_upstream(_FILES) as upstream:
            for first, stop in ((0, 1), (0, 70_000), (9, 10), (1_000_001, 9_000_000)):
                reply = upstream.fetch(Fetch(_JAR, offset=first, stop=stop))
                assert reply.status in (200, 206)
                expected = _LARGE[first:stop] if reply.status == 206 else _LARGE
                assert read_all(reply) == expected
                reply.close()

    def test_a_part_of_a_changed_body_is_the_whole(self) -> None:
        with self.make_upstream(_FILES) as upstream:
            reply = upstream.fetch(Fetch(_JAR, stop=10, if_range='"gone"'))
            assert reply.status == 200
            assert read_all(reply) == _LARGE
            reply.close()

    def test_a_body_can_be_read_in_small_pieces(self) -> None:
        with self.make_upstream({"f": b"0123456789"}) as upstream:
            reply = upstream.fetch(Fetch("f"))
            assert read_all(reply, 3) == b"0123456789"
            reply.close()

    def test_known_validators_answer_unchanged(self) -> None:
        with self.make_upstream(_FILES) as upstream:
            first = upstream.fetch(Fetch(_POM))
            known = Validators(first.headers.get("etag"), first.headers.get("last-modified"))
            first.close()
            again = upstream.fetch(Fetch(_POM, known=known))
            assert again.status in (200, 304)
            assert read_all(again) == (b"" if again.status == 304 else b"<project/>")
            again.close()

    def test_other_validators_answer_the_body(self) -> None:
        with self.make_upstream(_FILES) as upstream:
            reply = upstream.fetch(Fetch(_POM, known=Validators('"other"')))
            assert reply.status == 200
            assert read_all(reply) == b"<project/>"
            reply.close()

    def test_a_resume_starts_where_asked_or_at_the_beginning(self) -> None:
        with self.make_upstream(_FILES) as upstream:
            reply = upstream.fetch(Fetch(_JAR, offset=1_000_001))
            assert reply.status in (200, 206)
            expected = _LARGE[1_000_001:] if reply.status == 206 else _LARGE
            assert read_all(reply) == expected
            reply.close()

    def test_a_resume_of_a_changed_body_starts_at_the_beginning(self) -> None:
        with self.make_upstream(_FILES) as upstream:
            reply = upstream.fetch(Fetch(_JAR, offset=10, if_range='"gone"'))
            assert reply.status == 200
            assert read_all(reply) == _LARGE
            reply.close()

    def test_a_reply_may_be_closed_early_and_twice(self) -> None:
        with self.make_upstream(_FILES) as upstream:
            for _ in range(3 * upstream.spec.max_connections):
                reply = upstream.fetch(Fetch(_JAR))
                assert reply.read(10) == _LARGE[:10]
                reply.close()
                reply.close()

    def test_many_threads_may_ask_at_once(self) -> None:
        def ask(path: str) -> bytes:
            reply = upstream.fetch(Fetch(path))
            try:
                return read_all(reply)
            finally:
                reply.close()

        with self.make_upstream(_FILES) as upstream, ThreadPoolExecutor(8) as threads:
            paths = list(_FILES) * 8
            assert list(threads.map(ask, paths)) == [_FILES[path] for path in paths]

    def test_closing_twice_is_harmless(self) -> None:
        with self.make_upstream(_FILES) as upstream:
            upstream.close()
            upstream.close()
