"""The conformance suite of the VirtualRegistry protocol."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
from attrs import evolve

from virtreg.errors import NotFound
from virtreg.model import Algorithm
from virtreg.protocols import VirtualRegistry

SMALL = "org/example/a/1.0/a-1.0.bin"
LARGE = "org/example/b/1.0/b-1.0.bin"
ABSENT = "org/example/c/1.0/c-1.0.bin"
FILES = {SMALL: b"small" * 1000, LARGE: bytes(range(256)) * 4096}


class VirtualRegistrySuite:
    """Subclass it as ``Test…`` and say how to make a registry over the given files. The paths
    suit the built-in formats; ``files`` may be replaced for another."""

    files: dict[str, bytes] = FILES
    absent: str = ABSENT

    def make_registry(self, files: dict[str, bytes]) -> AbstractContextManager[VirtualRegistry]:
        """A registry with nothing cached whose upstreams have exactly these files; closed, with
        what is behind it, on exit."""
        raise NotImplementedError

    def _pull(self, registry: VirtualRegistry, path: str) -> bytes:
        with registry.resolve(registry.format.route(path)).body as body:
            return b"".join(body.read())

    def test_every_file_arrives_byte_for_byte_again_and_again(self) -> None:
        with self.make_registry(self.files) as registry:
            for path, content in self.files.items():
                for _ in range(3):
                    assert self._pull(registry, path) == content

    def test_what_it_says_of_a_body_is_true(self) -> None:
        with self.make_registry(self.files) as registry:
            for path, content in self.files.items():
                for _ in range(2):
                    resolution = registry.resolve(registry.format.route(path))
                    with resolution.body as body:
                        data = b"".join(body.read())
                    assert resolution.route.path == path
                    assert resolution.representation.size in (None, len(content))
                    for algorithm, digest in resolution.representation.digests.items():
                        assert digest == hashlib.new(algorithm.value, data).hexdigest()

    def test_any_part_of_a_body_can_be_read_in_any_order(self) -> None:
        with self.make_registry(self.files) as registry:
            for path, content in self.files.items():
                end = len(content)
                with registry.resolve(registry.format.route(path)).body as body:
                    for start, stop in ((end - 1, end), (0, 1), (end // 2, end // 2 + 7), (3, end)):
                        assert b"".join(body.read(start, stop)) == content[start:stop]
                    assert b"".join(body.read(1)) == content[1:]

    def test_a_body_that_nobody_reads_can_be_closed(self) -> None:
        with self.make_registry(self.files) as registry:
            for path in self.files:
                registry.resolve(registry.format.route(path)).body.close()
            for path, content in self.files.items():
                assert self._pull(registry, path) == content

    @pytest.mark.parametrize("algorithm", list(Algorithm))
    def test_a_checksum_is_that_of_the_file(self, algorithm: Algorithm) -> None:
        with self.make_registry(self.files) as registry:
            for path, content in self.files.items():
                route = evolve(registry.format.route(path), checksum=algorithm)
                with registry.resolve(route).body as body:
                    text = b"".join(body.read()).decode()
                assert text == hashlib.new(algorithm.value, content).hexdigest()

    def test_what_nobody_has_is_not_found_with_every_answer(self) -> None:
        with self.make_registry(self.files) as registry:
            for _ in range(2):
                with pytest.raises(NotFound) as caught:
                    registry.resolve(registry.format.route(self.absent))
                named = [upstream.name for upstream in registry.spec.upstreams]
                assert [answer.upstream for answer in caught.value.answers] == named
                assert {answer.outcome for answer in caught.value.answers} == {"absent"}

    def test_a_purged_file_is_fetched_again(self) -> None:
        with self.make_registry(self.files) as registry:
            for path, content in self.files.items():
                assert self._pull(registry, path) == content
                registry.purge(path)
                assert self._pull(registry, path) == content

    def test_purging_what_is_not_there_forgets_nothing(self) -> None:
        with self.make_registry(self.files) as registry:
            assert registry.purge(self.absent) == 0

    def test_many_threads_get_the_same_bytes(self) -> None:
        with self.make_registry(self.files) as registry, ThreadPoolExecutor(16) as threads:
            for path, content in self.files.items():
                pulled = threads.map(lambda _, path=path: self._pull(registry, path), range(32))
                assert set(pulled) == {content}
