"""The contract of :class:`virtreg.protocols.Format` as a test class to inherit.

.. code-block:: python

    class TestFilesFormat(FormatSuite):
        valid_paths = ("folder/file.txt",)
        invalid_paths = ("../secret",)

        def make_format(self) -> Format:
            return FilesFormat()

Powers of a format are checked where it has them; see :mod:`virtreg.testing.powers`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import ClassVar

import pytest

from virtreg import errors
from virtreg.errors import IntegrityError, InvalidRequest, NotFound, UpstreamError, VirtregError
from virtreg.model import Algorithm, Answered, Expectation, Representation
from virtreg.testing.powers import PowersSuite, check_headers

# No format can serve any of these: an empty path, ways out of the cache, header injection.
_HOSTILE_PATHS = ("", "..", "../a", "a/../../b", "a/..", "a\x00b", "a\r\nX-Injected: 1")


class FormatSuite(PowersSuite):
    """Inherit, name the class ``Test...``, implement :meth:`make_format`, fill in the samples."""

    invalid_paths: ClassVar[Sequence[str]]
    """Paths that ``route`` refuses with InvalidRequest or NotFound."""

    def test_its_name_fits_a_url_and_a_configuration_key(self) -> None:
        name = self.make_format().name
        assert name
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")

    def test_valid_paths_are_routed_always_alike(self) -> None:
        assert self.valid_paths, "give at least one valid path"
        adapter = self.make_format()
        for path in self.valid_paths:
            route = adapter.route(path)
            assert route == adapter.route(path)
            assert route.path
            assert not route.path.startswith("/")

    def test_a_canonical_path_routes_to_its_own_file(self) -> None:
        adapter = self.make_format()
        for path in self.valid_paths:
            route = adapter.route(path)
            file = adapter.route(route.path)
            assert file.path == route.path
            assert file.checksum is None
            assert file.freshness is route.freshness
            assert file.merged is route.merged
            assert file.moving is route.moving
            assert file.digest == route.digest
            assert not (file.moving and file.digest), "a name that moves fixes no digest"
            assert adapter.route(file.path) == file

    def test_invalid_and_hostile_paths_are_refused_with_a_reason(self) -> None:
        adapter = self.make_format()
        for path in (*self.invalid_paths, *_HOSTILE_PATHS):
            with pytest.raises((InvalidRequest, NotFound)) as caught:
                adapter.route(path)
            assert caught.value.message, f"no reason is given for {path!r}"

    def test_expectations_are_fit_to_be_sent(self) -> None:
        adapter = self.make_format()
        for route in self.routes(adapter):
            expectation = adapter.expect(route)
            assert isinstance(expectation, Expectation)
            check_headers((("Accept", expectation.accept),))
            assert expectation.max_bytes is None or expectation.max_bytes > 0
            assert not expectation.prefix.startswith("/")
            assert all(isinstance(text, str) for pair in expectation.query for text in pair)
            assert expectation.scope != "", "no scope is None"
            for algorithm, path in expectation.sidecars:
                assert isinstance(algorithm, Algorithm)
                assert path != route.path
                assert not path.startswith("/")

    def test_any_answer_can_be_examined(self) -> None:
        adapter = self.make_format()
        heads = (b"", b"\x00" * 4096, b"\xff\xfe", b"<html>", "é".encode())
        fields: tuple[dict[str, str], ...] = (
            {},
            {"etag": '"x"', "content-type": "text/html; charset=é", "content-length": "many"},
        )
        for route in self.routes(adapter):
            for head in heads:
                for headers in fields:
                    examination = adapter.examine(route, headers, head)
                    assert examination.refusal != "", "a refusal gives its reason"
                    for algorithm, digest in examination.claims.items():
                        assert len(digest) == algorithm.hex_length
                        assert digest == digest.lower()

    def test_merging_is_deterministic_and_idempotent(self) -> None:
        adapter = self.make_format()
        for path, samples in self.merge_samples.items():
            route = adapter.route(path)
            assert route.merged, f"{path} is not merged"
            assert len(samples) > 1, f"{path} needs two documents"
            members = [(f"upstream-{at}", sample) for at, sample in enumerate(samples)]
            merged, left_out = adapter.merge(route, members)
            assert adapter.merge(route, members) == (merged, left_out)
            assert left_out == []
            assert adapter.merge(route, [("again", merged), ("twice", merged)]) == (merged, [])

    def test_a_sole_document_passes_unchanged(self) -> None:
        adapter = self.make_format()
        for path, samples in self.merge_samples.items():
            route = adapter.route(path)
            for sample in samples:
                assert adapter.merge(route, [("sole", sample)]) == (sample, [])

    def test_what_cannot_be_merged_is_corrupt_or_not_found(self) -> None:
        adapter = self.make_format()
        for path in self.merge_samples:
            with pytest.raises((IntegrityError, NotFound)):
                adapter.merge(adapter.route(path), [("broken", b"\x00\xff")])

    def test_completeness_is_asked_of_merged_documents_only(self) -> None:
        adapter = self.make_format()
        for route in self.routes(adapter):
            assert not adapter.complete(route) or route.merged

    def test_headers_are_fit_to_be_sent_and_name_a_media_type(self) -> None:
        adapter = self.make_format()
        digests = {algorithm: hashlib.new(algorithm).hexdigest() for algorithm in Algorithm}
        representations = (
            Representation(size=None),
            Representation(0, digests, "text/html\r\nX-Injected: 1", "Thu, 01 Jan 1970 00:00:00"),
        )
        for route in self.routes(adapter):
            for representation in representations:
                headers = adapter.headers(route, representation)
                check_headers(headers)
                names = [name.lower() for name, _ in headers]
                assert names.count("content-type") == 1
                assert len(set(names)) == len(names)
                assert not {"content-length", "etag", "last-modified", "content-range"} & set(names)

    def test_every_error_becomes_a_problem_with_its_status_and_a_body(self) -> None:
        adapter = self.make_format()
        for error in _every_error():
            problem = adapter.problem(error)
            assert problem.status == error.status
            assert problem.body, f"{type(error).__name__} has an empty body"
            check_headers(problem.headers)
            names = [name.lower() for name, _ in problem.headers]
            assert names.count("content-type") == 1
            assert names.count("retry-after") == 1

    @pytest.mark.parametrize("realm", ["virtreg", 'a "quoted" \\ realm', "a\r\nX: 1", "日本", ""])
    def test_the_challenge_carries_any_realm(self, realm: str) -> None:
        challenge = self.make_format().challenge(realm)
        check_headers((("WWW-Authenticate", challenge),))
        assert challenge.split()[0].isalpha(), "an authentication scheme comes first"


def _every_error() -> list[VirtregError]:
    answers = (Answered("first", "absent", "404 Not Found"), Answered("second", "timeout"))
    found: list[VirtregError] = []
    for kind in vars(errors).values():
        if not (isinstance(kind, type) and issubclass(kind, VirtregError)):
            continue
        if issubclass(kind, errors.Invalid):
            found.append(kind({"日本 \ud800": ["told\r\nin", "twice"]}))
            found[-1].retry_after = 0.2
            continue
        found.append(kind("told\r\nin 日本 \ud800", answers=answers, retry_after=0.2))
        if issubclass(kind, UpstreamError):
            found.append(kind("told", upstream="日本", retry_after=12.5))
    return found
