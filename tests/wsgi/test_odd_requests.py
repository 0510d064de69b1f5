"""What one caller asks for must not take an upstream from the others."""

from __future__ import annotations

import pytest

from tests.wsgi.sites import POM, Site


@pytest.mark.parametrize("status", [400, 405, 406, 414, 422, 431, 451])
def test_requests_an_upstream_does_not_take_do_not_count_as_its_failures(
    quick_site: Site, status: int
) -> None:
    for number in range(10):
        path = f"odd/{number}.txt"
        quick_site.near.put(path, status=status)
        answer = quick_site.get(path)
        assert (answer.status, answer.problem["code"]) == (502, "upstream_error")
        assert f"{status} " in answer.problem["detail"]
    assert quick_site.get(POM).status == 200


@pytest.mark.parametrize("name", ["b.jar", "b.jar.sha1", "maven-metadata.xml"])
@pytest.mark.parametrize("registry", ["solo", "main"])
def test_hidden_dots_are_refused_and_asked_of_nobody(
    quick_site: Site, registry: str, name: str
) -> None:
    answer = quick_site.get(f"org/..;x=1/{name}", registry=registry)
    assert (answer.status, answer.problem["code"]) == (400, "invalid_request")
    assert quick_site.near.requests == quick_site.far.requests == []
