"""The contracts of a Format's optional powers, each checked where the format has it.

:class:`virtreg.testing.formats.FormatSuite` inherits them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import ClassVar

import pytest
from attrs import evolve

from virtreg.errors import IntegrityError, InvalidRequest
from virtreg.model import Algorithm, Coordinates, Freshness, Headers, Route, UpstreamSpec
from virtreg.protocols import Format, Gathers, Lists, Localizes, Pins, Situates, Views

_URL = "/a%20mount/registry/list"
_DIGESTS = {algorithm: hashlib.new(algorithm).hexdigest() for algorithm in Algorithm}
_ODD_LINKS = ("<", '<?n="é', '<//[?a=b>; rel="next"', "<?%ff>; rel=next", "\x00", ";" * 99)


class PowersSuite:
    """The samples of a suite, and the checks of powers."""

    valid_paths: ClassVar[Sequence[str]]
    """Paths that are routed, checksum paths included if the format has them."""
    merge_samples: ClassVar[Mapping[str, Sequence[bytes]]] = {}
    """Path of a merged document to the usable documents of two or more upstreams."""
    upstream_samples: ClassVar[Sequence[UpstreamSpec]] = (
        UpstreamSpec("plain", "https://registry.example"),
        UpstreamSpec("spaced", "https://registry.example", default_namespace="space"),
    )
    """Upstreams that the power Localizes may tell apart."""
    view_samples: ClassVar[Mapping[str, Sequence[Mapping[str, str]]]] = {}
    """With the power Views: path of a merged document or a listing to queries it can answer."""
    refused_queries: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    """With the power Views: such a path to a query of one parameter that is refused."""

    def make_format(self) -> Format:
        raise NotImplementedError("return the format to test")

    def routes(self, adapter: Format) -> list[Route]:
        return [adapter.route(path) for path in self.valid_paths]

    def test_an_upstream_gets_a_path_of_its_own_once(self) -> None:
        adapter = self.make_format()
        if not isinstance(adapter, Localizes):
            pytest.skip("no power Localizes")
        for route in self.routes(adapter):
            for upstream in self.upstream_samples:
                local = adapter.localize(route, upstream)
                assert adapter.localize(local, upstream) == local
                assert evolve(local, path=route.path) == route, "only the path may differ"
                assert adapter.route(local.path) == evolve(local, checksum=None)

    def test_a_moving_name_leads_to_the_path_of_the_body(self) -> None:
        adapter = self.make_format()
        if not isinstance(adapter, Pins):
            pytest.skip("no power Pins")
        routes = self.routes(adapter)
        assert any(route.moving for route in routes), "give a path that moves"
        for route in routes:
            pinned = adapter.pinned(route, _DIGESTS)
            assert (pinned is not None) is route.moving
            assert adapter.pinned(route, {}) is None
            if pinned is None:
                continue
            assert pinned.digest is not None
            assert pinned.digest in _DIGESTS.items()
            assert pinned.freshness is Freshness.IMMUTABLE
            assert adapter.route(pinned.path) == pinned
            if isinstance(adapter, Localizes):
                for upstream in self.upstream_samples:
                    local = adapter.localize(route, upstream)
                    assert adapter.pinned(local, _DIGESTS) == adapter.localize(pinned, upstream)

    def test_pages_join_to_one_document(self) -> None:
        adapter = self.make_format()
        if not isinstance(adapter, Gathers):
            pytest.skip("no power Gathers")
        assert self.merge_samples, "give the documents of a merged path"
        for path, pages in self.merge_samples.items():
            route = adapter.route(path)
            joined = adapter.join(route, pages)
            assert adapter.join(route, pages) == joined
            assert adapter.merge(route, [("joined", joined)]) == (joined, [])
            with pytest.raises(IntegrityError):
                adapter.join(route, [pages[0], b"\x00\xff"])

    def test_the_next_page_is_a_query_or_nothing_or_refused(self) -> None:
        adapter = self.make_format()
        if not isinstance(adapter, Gathers):
            pytest.skip("no power Gathers")
        for path in self.merge_samples:
            route = adapter.route(path)
            assert adapter.following(route, {}) is None
            for link in _ODD_LINKS:
                try:
                    query = adapter.following(route, {"link": link})
                except IntegrityError:
                    continue
                assert query is None or all(len(pair) == 2 for pair in query)

    def test_a_document_that_is_elsewhere_or_nowhere_can_be_merged(self) -> None:
        adapter = self.make_format()
        if not isinstance(adapter, Gathers):
            pytest.skip("no power Gathers")
        for route in self.routes(adapter):
            elsewhere = adapter.elsewhere(route)
            if elsewhere is not None:
                assert route.merged
                assert not elsewhere.merged
                assert adapter.route(elsewhere.path) == elsewhere
                assert adapter.elsewhere(elsewhere) is None
            nothing = adapter.nothing(route)
            if nothing is not None:
                assert adapter.merge(route, [("nobody", nothing)]) == (nothing, [])

    def test_views_are_parts_of_documents(self) -> None:
        adapter = self.make_format()
        if not isinstance(adapter, Views):
            pytest.skip("no power Views")
        assert self.view_samples, "give queries"
        for path, queries in self.view_samples.items():
            route, document = adapter.route(path), self._document(adapter, path)
            assert adapter.view(route, _URL, {}, document) is None
            assert adapter.view(route, _URL, {"no-such-parameter": "1"}, document) is None
            for query in queries:
                view = adapter.view(route, _URL, query, document)
                assert view is not None, f"{path} has no view {query}"
                assert adapter.view(route, _URL, query, document) == view
                check_headers(view.headers)
                names = [name.lower() for name, _ in view.headers]
                assert not {"content-type", "content-length", "etag"} & set(names)
        for path, query in self.refused_queries.items():
            with pytest.raises(InvalidRequest, match=next(iter(query))):
                adapter.view(adapter.route(path), _URL, query, self._document(adapter, path))

    def test_the_list_of_what_is_cached_passes_over_nothing(self) -> None:
        adapter = self.make_format()
        if not isinstance(adapter, Lists):
            pytest.skip("no power Lists")
        paths = sorted(route.path for route in self.routes(adapter) if not route.listing)
        for at, path in enumerate(paths):
            name, after = adapter.shelf(path)
            assert name != ""
            assert after >= path, "the list goes on behind the path"
            for later in paths[at:]:
                if later <= after:
                    assert adapter.shelf(later)[0] in (name, None), f"{later} is passed over"
        listings = [route for route in self.routes(adapter) if route.listing]
        assert listings, "give the path of a listing"
        for route in listings:
            assert adapter.catalog(route, []) != adapter.catalog(route, ["a", "b"])

    def test_a_path_is_about_coordinates_that_rules_can_name(self) -> None:
        adapter = self.make_format()
        if not isinstance(adapter, Situates):
            pytest.skip("no power Situates")
        told: set[str] = set()
        for route in self.routes(adapter):
            for upstream in self.upstream_samples:
                local = route
                if isinstance(adapter, Localizes):
                    local = adapter.localize(route, upstream)
                readings = adapter.coordinates(local, upstream)
                assert adapter.coordinates(local, upstream) == readings
                assert all(text for reading in readings for text in reading.values())
                told.update(*readings)
                file = adapter.route(local.path)
                assert adapter.coordinates(file, upstream) == readings
                assert adapter.released(file) is adapter.released(local)
        assert told == adapter.targets, "give paths that tell every coordinate"

    def test_a_document_loses_what_is_not_allowed_and_only_that(self) -> None:
        adapter = self.make_format()
        if not isinstance(adapter, Situates):
            pytest.skip("no power Situates")
        for path, samples in self.merge_samples.items():
            route = adapter.route(path)
            for sample in samples:
                assert adapter.sift(route, sample, lambda _: True) == sample
                for modulus in (1, 2, 3):
                    asked = _Asked(modulus)
                    left = adapter.sift(route, sample, asked)
                    if left is None:
                        assert asked.denied, f"{path} has lost what nobody denied"
                        continue
                    again = _Asked(modulus)
                    assert adapter.sift(route, left, again) == left
                    assert not again.denied, f"{path} still has {again.denied}"
                    assert asked.denied or left == sample
                    assert adapter.merge(route, [("sifted", left)]) == (left, [])
            unusable = b"\x00\xff"
            assert adapter.sift(route, unusable, lambda _: False) == unusable

    def _document(self, adapter: Format, path: str) -> bytes:
        route = adapter.route(path)
        if isinstance(adapter, Lists) and route.listing:
            return adapter.catalog(route, ["a", "b", "c"])
        return self.merge_samples[path][0]


class _Asked:
    """Allows all but one of so many coordinates, and keeps what it was asked and denied."""

    def __init__(self, modulus: int) -> None:
        self._modulus = modulus
        self.denied: list[Coordinates] = []

    def __call__(self, coordinates: Coordinates) -> bool:
        told = repr(sorted(coordinates.items())).encode()
        if int.from_bytes(hashlib.sha256(told).digest()) % self._modulus:
            return True
        self.denied.append(coordinates)
        return False


def check_headers(headers: Headers) -> None:
    """Assert that the headers can be sent: names are tokens, values one printable line."""
    for name, value in headers:
        assert name.isascii(), name
        assert name.replace("-", "").isalnum(), name
        assert value == value.strip(), value
        value.encode("latin-1")
        assert value.isprintable(), f"{name}: {value!r}"
