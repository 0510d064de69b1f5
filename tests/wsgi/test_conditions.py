from __future__ import annotations

import hashlib
from email.utils import formatdate, parsedate_to_datetime

import pytest

from tests.wsgi.answers import Answer
from tests.wsgi.sites import JAR, LARGE_BODY, METADATA, MIDDLE, POM, SMALL_BODY, Site

STATES = ["cold", "warm", "ready"]


def in_state(site: Site, state: str, path: str) -> None:
    if state == "warm":
        site.fill(path)
    elif state == "ready":
        site.make_ready(path)


def etag(body: bytes) -> str:
    return f'"sha256:{hashlib.sha256(body).hexdigest()}"'


def around(answer: Answer, seconds: float) -> str:
    """The answer's ``Last-Modified``, moved."""
    moment = parsedate_to_datetime(answer["Last-Modified"]).timestamp()
    return formatdate(moment + seconds, usegmt=True)


def is_not_modified(answer: Answer) -> bool:
    if answer.status != 304:
        return False
    assert answer.body == b""
    assert "Content-Type" not in answer
    assert "Content-Length" not in answer
    return True


@pytest.mark.parametrize("state", STATES)
def test_the_entity_tag_is_strong_and_of_the_bytes(site: Site, state: str) -> None:
    in_state(site, state, POM)
    assert site.get(POM)["ETag"] == etag(SMALL_BODY)


def test_a_large_file_gets_its_tag_once_it_is_proved(site: Site) -> None:
    site.fill(JAR)
    assert site.get(JAR)["ETag"] == etag(LARGE_BODY)


@pytest.mark.parametrize("state", STATES)
def test_a_matching_tag_is_not_modified(site: Site, state: str) -> None:
    in_state(site, state, POM)
    for template in ("{}", "W/{}", '"x", {} , W/"y"', "*"):
        condition = {"If-None-Match": template.format(etag(SMALL_BODY))}
        for answer in (site.get(POM, condition), site.head(POM, condition)):
            assert is_not_modified(answer), template
            assert answer["ETag"] == etag(SMALL_BODY)


@pytest.mark.parametrize("state", STATES)
def test_another_tag_gets_the_file(site: Site, state: str) -> None:
    in_state(site, state, POM)
    for tags in ('"x"', "x", '"sha256:"', ""):
        answer = site.get(POM, {"If-None-Match": tags})
        assert (answer.status, answer.body) == (200, SMALL_BODY), tags


@pytest.mark.parametrize("path", [METADATA, f"{POM}.sha1", MIDDLE])
def test_whatever_is_served_can_be_revalidated(site: Site, path: str) -> None:
    tag = site.get(path, registry="main")["ETag"]
    assert is_not_modified(site.get(path, {"If-None-Match": tag}, registry="main"))


@pytest.mark.parametrize("state", STATES)
def test_not_modified_since_its_own_date(site: Site, state: str) -> None:
    in_state(site, state, POM)
    modified = site.get(POM)
    for seconds, fresh in ((0, True), (1, True), (-1, False)):
        answer = site.get(POM, {"If-Modified-Since": around(modified, seconds)})
        assert is_not_modified(answer) == fresh


def test_a_tag_counts_more_than_a_date(site: Site) -> None:
    date = site.get(POM)["Last-Modified"]
    answer = site.get(POM, {"If-None-Match": '"x"', "If-Modified-Since": date})
    assert (answer.status, answer.body) == (200, SMALL_BODY)


@pytest.mark.parametrize("state", STATES)
def test_modified_since_fails_the_precondition(site: Site, state: str) -> None:
    in_state(site, state, POM)
    modified = site.get(POM)
    held = site.get(POM, {"If-Unmodified-Since": around(modified, 60)})
    assert (held.status, held.body) == (200, SMALL_BODY)
    failed = site.get(POM, {"If-Unmodified-Since": around(modified, -60)})
    assert failed.status == 412
    assert failed.problem["code"] == "precondition_failed"


def test_resuming_what_was_replaced_fails_the_precondition(site: Site) -> None:
    """What Maven sends to go on with a file: a range, and the date of its own part."""
    modified = site.fill(JAR)
    resume = {"Range": "bytes=1000-", "If-Unmodified-Since": around(modified, -60)}
    assert site.get(JAR, resume).status == 412
    resume["If-Unmodified-Since"] = around(modified, 0)
    resumed = site.get(JAR, resume)
    assert (resumed.status, resumed.body) == (206, LARGE_BODY[1000:])


@pytest.mark.parametrize("state", STATES)
def test_if_match_needs_the_very_bytes(site: Site, state: str) -> None:
    in_state(site, state, POM)
    assert site.get(POM, {"If-Match": etag(SMALL_BODY)}).status == 200
    assert site.get(POM, {"If-Match": "*"}).status == 200
    assert site.get(POM, {"If-Match": f"W/{etag(SMALL_BODY)}"}).status == 412
    assert site.get(POM, {"If-Match": '"x"'}).status == 412


def test_what_is_no_date_is_not_told_as_one(site: Site) -> None:
    dates = ("yesterday", "Tue, 99 Foo 2020 00:00:00 GMT", "1700000000", "\x01", "a\r\n b")
    for number, told in enumerate(dates):
        path = POM.replace("thing", f"thing{number}")
        site.near.put(path, SMALL_BODY, headers={"Last-Modified": told})
        for _ in range(3):
            answer = site.get(path)
            assert (answer.status, answer.body) == (200, SMALL_BODY), told
            assert "Last-Modified" not in answer


def test_the_upstream_s_own_date_is_told(site: Site) -> None:
    date = "Mon, 01 Jan 2024 00:00:00 GMT"
    site.near.put(POM, SMALL_BODY, headers={"Last-Modified": date})
    assert site.get(POM)["Last-Modified"] == date
