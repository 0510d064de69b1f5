from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tests.wsgi.galleries import Galleries
from virtreg.wsgi.warnings import warning_value

_VALUE = re.compile(r'299 - "((?:[ !#-\[\]-~]|\\["\\])*)"')
"""RFC 7234, 5.5, with the quoted-string of RFC 9110, 5.6.4, in ASCII."""

MANIFEST = "/v2/hub/of-hub/app/manifests/latest"


def test_a_warning_is_told_with_every_answer_of_the_body(galleries: Galleries) -> None:
    site = galleries()
    shelf = site.shelves["hub"]
    shelf.warning, shelf.origin = 'hub is "down"', "stale"
    for expires_in in (0, 10, 10):
        shelf.expires_at = site.clock() + expires_in
        answer = site.both(MANIFEST)
        assert answer["Warning"] == r'299 - "hub is \"down\""'
        unchanged = site.get(MANIFEST, {"If-None-Match": answer["ETag"]})
        assert (unchanged.status, unchanged["Warning"]) == (304, answer["Warning"])
        assert site.get(MANIFEST, {"Range": "bytes=0-0"})["Warning"] == answer["Warning"]
    shelf.warning, shelf.origin = "", "hit"
    site.clock.advance(10)
    assert "Warning" not in site.both(MANIFEST)


@given(st.text() | st.text(alphabet='"\\a\r\n\x7f', min_size=3000, max_size=6000))
def test_any_text_becomes_one_quoted_string(text: str) -> None:
    value = warning_value(text)
    assert len(value.encode("ascii")) <= 4096
    match = _VALUE.fullmatch(value)
    assert match is not None
    told = re.sub(r"\\(.)", r"\1", match[1])
    kept = "".join(character if " " <= character <= "~" else "" for character in text)
    assert re.sub(r"[ ?]", "", kept).startswith(re.sub(r"[ ?]", "", told))
    if len(text) < 2000:
        assert len(told) == len(text)


def test_a_text_that_can_be_told_is_told() -> None:
    assert warning_value("stale: hub, 503") == '299 - "stale: hub, 503"'
    assert warning_value("a\r\nX: 1 größe\\") == '299 - "a  X: 1 gr??e\\\\"'
