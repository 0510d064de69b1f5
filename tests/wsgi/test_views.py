from __future__ import annotations

import hashlib
import json
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from tests.wsgi.galleries import Galleries
from tests.wsgi.images import MANIFEST, REFERRERS, TAGS, Gallery, code, digest, image
from virtreg import InvalidRequest
from virtreg.wsgi.query import asks, parse_query
from virtreg.wsgi.viewing import MOST, url_of

LIST = "/v2/hub/of-hub/app/tags/list"


def tags(site: Gallery, target: str) -> list[str]:
    answer = site.both(target)
    assert answer.status == 200
    found: list[str] = json.loads(answer.body)["tags"]
    return found


def test_pages_follow_their_links_to_the_end(galleries: Galleries) -> None:
    site = galleries()
    site.shelves["hub"].files.update(image("library/nginx"))
    for shape, query in (("/v2/hub/", ""), ("/hub/v2/", ""), ("/v2/", "&ns=docker.io")):
        target: str = f"{shape}library/nginx/tags/list?n=3{query}"
        found: list[str] = []
        for _ in TAGS:
            answer = site.both(target)
            found += json.loads(answer.body)["tags"]
            assert ("OCI-Namespace" in answer) == bool(query)
            if "Link" not in answer:
                break
            link = answer["Link"].removeprefix("<").partition(">")[0]
            assert link.startswith(site.prefix + shape), "as the client sees it"
            target = link.removeprefix(site.prefix)
        assert found == TAGS


def test_a_view_has_validators_of_its_own(galleries: Galleries) -> None:
    site = galleries()
    whole, part = site.both(LIST), site.both(f"{LIST}?n=2")
    assert part["ETag"] == f'"sha256:{hashlib.sha256(part.body).hexdigest()}"' != whole["ETag"]
    assert part["Content-Length"] == str(len(part.body))
    unchanged = site.get(f"{LIST}?n=2", {"If-None-Match": part["ETag"]})
    assert (unchanged.status, unchanged.body) == (304, b"")
    assert site.get(f"{LIST}?n=2", {"If-None-Match": whole["ETag"]}).body == part.body
    some = site.get(f"{LIST}?n=2", {"Range": "bytes=1-3"})
    assert (some.status, some.body) == (206, part.body[1:4])


def test_what_is_ready_is_viewed_all_the_same(galleries: Galleries) -> None:
    site = galleries()
    site.shelves["hub"].expires_at = site.clock() + 10
    for _ in range(2):
        assert tags(site, LIST) == TAGS
        assert tags(site, f"{LIST}?n=2") == TAGS[:2]
        assert tags(site, f"{LIST}?ns=docker.io&n=2") == TAGS[:2]
        assert tags(site, f"{LIST}?n=2&n=5&last=v1&last=v4") == TAGS[2:4]
        assert tags(site, f"{LIST}?ns=docker.io") == TAGS
        assert tags(site, f"{LIST}?other=1") == TAGS
    assert site.both(f"{LIST}?n=x").status == 400


def test_a_query_of_what_has_no_parts_means_nothing(galleries: Galleries) -> None:
    site = galleries()
    site.shelves["hub"].expires_at = site.clock() + 10
    for _ in range(2):
        assert site.both("/v2/hub/of-hub/app/manifests/latest?n=x&last=1").body == MANIFEST
    assert site.shelves["hub"].resolved == ["of-hub/app/manifests/latest"]
    assert site.both("/v2/hub/of-hub/app/manifests/latest?%zz").body == MANIFEST


def test_referrers_are_filtered_by_a_media_type_as_it_is_written(galleries: Galleries) -> None:
    site = galleries()
    target = f"/v2/hub/of-hub/app/referrers/{digest(MANIFEST)}"
    assert len(json.loads(site.both(target).body)["manifests"]) == len(REFERRERS)
    for written in ("application/x.sig+json", "application%2Fx.sig%2Bjson"):
        answer = site.both(f"{target}?artifactType={written}")
        assert json.loads(answer.body)["manifests"] == REFERRERS[:1]
        assert answer["OCI-Filters-Applied"] == "artifactType"


def test_catalogs_have_pages(galleries: Galleries) -> None:
    answer = galleries().both("/v2/_catalog?n=1&last=of-hub%2Fa")
    assert json.loads(answer.body) == {"repositories": ["of-hub/b"]}
    assert "n=1" in answer["Link"]


def test_a_view_that_is_malformed_is_refused_by_name(galleries: Galleries) -> None:
    site = galleries()
    for query, name in (("n=-1", "n"), ("n=x", "n"), ("n=1&last=%f", "last"), ("last=%ff", "last")):
        answer = site.both(f"{LIST}?{query}")
        assert answer.status == 400
        assert code(answer)
        assert name in answer.body.decode().partition('"message"')[2]


def test_a_view_of_what_is_absent_is_absent(galleries: Galleries) -> None:
    site = galleries()
    site.shelves["hub"].expires_at = site.clock() + 10
    for _ in range(2):
        assert site.both("/v2/hub/none/tags/list?n=x").status == 404
    assert site.shelves["hub"].resolved == ["none/tags/list"]


def test_a_view_takes_its_stale_document_s_warning(quick_galleries: Galleries) -> None:
    site = quick_galleries()
    site.shelves["hub"].warning = "stale"
    site.shelves["hub"].origin = "stale"
    answer = site.both(f"{LIST}?n=1")
    assert (answer["Warning"], answer.origin) == ('299 - "stale"', "stale")


def test_a_document_too_large_to_be_viewed_is_had_whole_only(quick_galleries: Galleries) -> None:
    site = quick_galleries()
    site.shelves["hub"].files["of-hub/app/tags/list"] = bytes(MOST + 1)
    assert site.get(LIST).status == 200
    answer = site.both(f"{LIST}?n=1")
    assert answer.status == 500
    assert str(MOST) in answer.body.decode()


@given(st.text(alphabet="ab=&+;ö", max_size=30))
def test_the_first_of_a_name_counts_and_plus_is_plus(query: str) -> None:
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    expected = {name: value for name, _, value in reversed(pairs)}
    assert parse_query(query.encode().decode("latin-1")) == expected


@given(st.text(alphabet="ab=&%2fC3\xb6\xff", max_size=30))
def test_any_query_is_read_or_refused(raw: str) -> None:
    try:
        found = parse_query(raw)
    except InvalidRequest:
        assert not raw.isascii() or "%" in raw
    else:
        assert len(found) <= len(raw)


TEXTS = st.text(st.characters(codec="utf-8"))


@given(st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=4))
def test_an_escaped_query_says_what_was_meant(pairs: dict[str, str]) -> None:
    written = "&".join(f"{quote(name, safe='')}={quote(pairs[name], safe='')}" for name in pairs)
    assert parse_query(written) == pairs
    again = "&".join(f"{quote(name, safe='')}=another" for name in pairs)
    assert parse_query(f"{written}&{again}") == pairs


def test_ns_alone_asks_for_no_part() -> None:
    assert not asks("")
    assert not asks("ns=docker.io")
    assert asks("n=1")
    assert asks("ns=docker.io&n=1")
    assert asks("nsx=1")


def test_the_url_of_a_request_is_escaped_and_stays_here() -> None:
    environ = {"SCRIPT_NAME": "/a b", "PATH_INFO": '/v2/>"\xc3\xb6:x'}
    assert url_of(environ) == "/a%20b/v2/%3E%22%C3%B6:x"
