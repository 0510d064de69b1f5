from __future__ import annotations

from tests.docs.api_page import PAGE, render, split


def test_the_page_about_the_api_is_as_the_api_is() -> None:
    assert split(PAGE.read_text())[1] == render(), "python -m tests.docs.api_page writes it anew"
