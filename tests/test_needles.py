"""Whoever looks for secrets must find those that are there."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from tests.needles import Needles

SECRET = 'm/Zo?ë "c0ffee"+k\\&4711/beef'
"""With something that each way of writing has to escape."""

PLANTED = {
    "clear": f"x{SECRET}y",
    "percent": f"GET /?token={quote(SECRET, safe='')} HTTP/1.1",
    "percent with slashes": f"GET /{quote(SECRET)} HTTP/1.1",
    "percent in lower case": "GET /?token=m%2fZo%3f%c3%ab%20%22c0ffee%22%2bk%5c%264711%2fbeef",
    "form": urlencode({"password": SECRET}),
    "JSON": json.dumps({"password": SECRET}),
    "JSON with escaped slashes": json.dumps({"password": SECRET}).replace("/", "\\/"),
    "hex": SECRET.encode().hex(),
    "hex in capitals": SECRET.encode().hex().upper(),
    "base64 for URLs": base64.urlsafe_b64encode(f"ann:{SECRET}".encode()).decode(),
}
PLANTED |= {
    f"base64 between {before} and {after}": base64.b64encode(
        f"{'u' * before}{SECRET}{'v' * after}".encode()
    ).decode()
    for before in range(3)
    for after in range(3)
}


@pytest.mark.parametrize("text", PLANTED.values(), ids=PLANTED)
def test_a_secret_is_found_however_it_is_written(text: str, tmp_path: Path) -> None:
    needles = Needles()
    needles.told("the secret", SECRET)
    needles.make("another")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "log").write_text(f"begin {text} end\n")
    (tmp_path / "clean").write_text("nothing\n")
    assert needles.found("here", text.encode()) == ["here: the secret"]
    assert needles.found_below(tmp_path) == [f"{tmp_path}/below/log: the secret"]
    assert needles.found_below(tmp_path, [tmp_path / "below" / "log"]) == []


def test_of_a_long_file_the_beginning_is_read(tmp_path: Path) -> None:
    needles = Needles()
    secret = needles.make("the secret")
    (tmp_path / "file").write_text(f"0123456789{secret}")
    assert needles.found_below(tmp_path, longest=10) == []
    assert needles.found_below(tmp_path, longest=200) == [f"{tmp_path}/file: the secret"]
