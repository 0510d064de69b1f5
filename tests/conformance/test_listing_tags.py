"""Lists of tags (OCI distribution-spec, Listing Tags; RFC 8288)."""

from __future__ import annotations

import json

import pytest

from tests.conformance.clauses import clause
from tests.conformance.client import Client
from tests.conformance.shelf import fresh_name, publish_tags
from tests.wsgi.answers import Answer

pytestmark = pytest.mark.e2e

SECTION = "Listing Tags"
JUMBLED = ["v10", "b", "A", "2", "_x", "a", "v2", "B", "1.0-rc.1"]
ORDERED = ["1.0-rc.1", "2", "_x", "A", "a", "B", "b", "v10", "v2"]
"""As words are, upper and lower case alike."""


@pytest.fixture
def name(client: Client) -> str:
    """Of a repository whose upstream has these tags in no order."""
    name = fresh_name()
    publish_tags(client.origin, name, JUMBLED)
    client.prepare(f"{name}/tags/list")
    return name


def tags(client: Client, path: str) -> list[str]:
    return listed(client.get(path))


def listed(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    found: list[str] = json.loads(answer.body)["tags"]
    return found


def following(client: Client, answer: Answer) -> str:
    """The path that the link to the next page leads to."""
    target, _, relation = answer["Link"].partition(">; ")
    assert relation == 'rel="next"'
    assert target.startswith("<" + client.base)
    return target.removeprefix("<" + client.base)


@clause(SECTION, "MUST", "the list is 200, JSON with `name` and `tags` (end-8a)")
def test_a_list(client: Client, name: str) -> None:
    answer = client.get(f"{name}/tags/list")
    assert answer["Content-Type"] == "application/json"
    assert json.loads(answer.body) == {"name": name, "tags": ORDERED}
    assert "Link" not in answer
    again, without = client.get(f"{name}/tags/list"), client.head(f"{name}/tags/list")
    assert {**without.ours, "x-virtreg-cache": again.origin} == again.ours


@clause(SECTION, "MUST", "tags are in lexical order, upper and lower case alike")
def test_the_order_of_tags(client: Client, name: str) -> None:
    for query in ("", "?n=100", "?last=0"):
        assert tags(client, f"{name}/tags/list{query}") == ORDERED


@clause(SECTION, "MAY", "a repository may have no tags")
@pytest.mark.parametrize("told", [b'{"name":"x","tags":[]}', b'{"name":"x","tags":null}'])
def test_no_tags(client: Client, told: bytes) -> None:
    name = fresh_name()
    client.origin.put(f"v2/{name}/tags/list", told)
    client.prepare(f"{name}/tags/list")
    answer = client.get(f"{name}/tags/list")
    assert json.loads(answer.body) == {"name": name, "tags": []}


@clause(
    SECTION, "MUST", "`n` gives as many tags as there are, at most `n`, from the first (end-8b)"
)
@pytest.mark.parametrize("n", [1, 3, 8, 9, 10, 100_000])
def test_at_most_so_many_tags(client: Client, name: str, n: int) -> None:
    answer = client.get(f"{name}/tags/list?n={n}")
    assert listed(answer) == ORDERED[:n]
    assert ("Link" in answer) is (n < len(ORDERED))


@clause(SECTION, "MUST", "`n=0` is an empty list without `Link`")
def test_none_of_the_tags(client: Client, name: str) -> None:
    for query in ("n=0", "n=0&last=b"):
        answer = client.get(f"{name}/tags/list?{query}")
        assert listed(answer) == []
        assert "Link" not in answer


@clause(SECTION, "MUST", '`Link` leads to the next tags with `rel="next"`')
@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_links_lead_to_every_tag(client: Client, name: str, n: int) -> None:
    answer = client.get(f"{name}/tags/list?n={n}")
    found = listed(answer)
    while "Link" in answer:
        answer = client.get(following(client, answer))
        assert 0 < len(listed(answer)) <= n
        found += listed(answer)
    assert found == ORDERED


@clause(SECTION, "MUST", "`last` gives the tags after it, it itself not among them")
@clause(SECTION, "MAY", "`last` may come without `n`")
@pytest.mark.parametrize("at", [0, 4, 8])
def test_the_tags_after_one(client: Client, name: str, at: int) -> None:
    path, rest = f"{name}/tags/list?last={ORDERED[at]}", ORDERED[at + 1 :]
    assert tags(client, path) == rest
    assert tags(client, f"{path}&n=2") == rest[:2]


@clause(SECTION, "MUST", "`last` is a tag and no index; it need not be there")
def test_the_tags_after_one_that_is_not_there(client: Client, name: str) -> None:
    assert tags(client, f"{name}/tags/list?last=20") == ORDERED[2:]
    assert tags(client, f"{name}/tags/list?last=zzz") == []


@clause(SECTION, "suite", "without `last` there are all, with it those that sort after it")
def test_the_half_of_the_tags(client: Client) -> None:
    name, some = fresh_name(), ["large-manifest", "image", "index", "tagged-artifact1"]
    publish_tags(client.origin, name, some)
    client.prepare(f"{name}/tags/list")
    ordered = sorted(some)
    assert tags(client, f"{name}/tags/list") == ordered
    assert tags(client, f"{name}/tags/list?last={ordered[1]}") == ordered[2:]


@clause(SECTION, "MUST", "all the pages of an upstream are one list here")
def test_the_pages_of_an_upstream(client: Client) -> None:
    name = fresh_name()
    base = f"v2/{name}/tags/list"
    link = {"Link": f'</{base}?n=2&last=b>; rel="next"'}
    client.origin.put(base, json.dumps({"name": name, "tags": ["a", "b"]}).encode(), headers=link)
    rest = json.dumps({"name": name, "tags": ["c"]}).encode()
    client.origin.put(f"{base}?n=2&last=b", rest)
    client.prepare(f"{name}/tags/list")
    assert tags(client, f"{name}/tags/list") == ["a", "b", "c"]


@clause(SECTION, "MUST", "the list of a repository that is not there is 404 (end-8a)")
def test_the_list_of_no_repository(client: Client) -> None:
    name = fresh_name()
    for query in ("", "?n=1", "?last=a"):
        assert client.refused(f"{name}/tags/list{query}") == (404, "NAME_UNKNOWN")


@clause(SECTION, "MAY", "`n` is a number: another text is 400")
@pytest.mark.parametrize("n", ["-1", "x", "", "1.5"])
def test_what_is_no_number(client: Client, name: str, n: str) -> None:
    assert client.refused(f"{name}/tags/list?n={n}") == (400, "UNSUPPORTED")
