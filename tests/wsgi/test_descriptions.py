"""HEAD over a registry that describes without a body."""

from __future__ import annotations

from attrs import define, evolve

from tests.wsgi.galleries import Galleries
from tests.wsgi.images import LAYER, TAGS, Describing, image
from virtreg.model import Route
from virtreg.protocols import Resolution
from virtreg.service.resolution import Resolved


def test_head_is_described_and_says_what_get_says(galleries: Galleries) -> None:
    site = galleries(kind=Describing)
    shelf = site.shelves["hub"]
    assert isinstance(shelf, Describing)
    for expires_in in (0, 10):
        shelf.expires_at = site.clock() + expires_in
        for path, body in image("of-hub/app").items():
            shelf.described.clear()
            shelf.resolved.clear()
            for _ in range(2):
                assert int(site.head(f"/v2/hub/{path}")["Content-Length"]) == len(body)
            assert shelf.described == [path, path], "what is described is never kept"
            assert shelf.resolved == []
            assert site.both(f"/v2/hub/{path}").body == body


def test_get_after_head_has_the_body(galleries: Galleries) -> None:
    site = galleries(kind=Describing)
    site.shelves["hub"].expires_at = site.clock() + 10
    for path, body in image("of-hub/app").items():
        site.head(f"/v2/hub/{path}")
        assert site.get(f"/v2/hub/{path}").body == body
        assert site.both(f"/v2/hub/{path}").body == body


def test_head_of_a_part_is_that_of_the_part(galleries: Galleries) -> None:
    site = galleries(kind=Describing)
    answer = site.both("/v2/hub/of-hub/app/tags/list?n=1")
    assert TAGS[0].encode() in answer.body


def test_head_of_what_is_absent(galleries: Galleries) -> None:
    site = galleries(kind=Describing)
    for expires_in in (0, 10):
        site.shelves["hub"].expires_at = site.clock() + expires_in
        assert site.both(f"/v2/hub/none/manifests/latest-{expires_in}").status == 404


@define
class Unsized(Describing):
    """Its descriptions know no size."""

    def describe(self, route: Route) -> Resolution:
        self.described.append(route.path)
        found = self._resolved(route, b"")
        return Resolved(route, "", evolve(found.representation, size=None), found.body, "hit", 0.0)


def test_a_description_without_a_size_is_not_answered(quick_galleries: Galleries) -> None:
    site = quick_galleries(kind=Unsized)
    path = next(path for path, body in image("of-hub/app").items() if body == LAYER)
    answer = site.both(f"/v2/hub/{path}")
    assert answer["Content-Length"] == str(len(LAYER))
    assert site.shelves["hub"].resolved == [path, path]
