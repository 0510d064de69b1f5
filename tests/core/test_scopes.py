"""Scopes as clients of token services write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.core.scopes import MOST_SCOPES, RequestedScope, parse_scopes
from virtreg.errors import InvalidRequest

NAMES = st.from_regex(r"[A-Za-z0-9._/:*@-]+", fullmatch=True)
ACTIONS = st.lists(st.from_regex(r"[a-z*]+", fullmatch=True), max_size=3, unique=True)
SCOPES = st.builds(
    RequestedScope, st.from_regex(r"[a-z0-9]+", fullmatch=True), NAMES, ACTIONS.map(tuple)
)
NONSENSE = (
    "",
    ":",
    "::",
    "repository",
    "repository:",
    "repository:app",
    "repository::pull",
    "Repository:app:pull",
    "repository(:app:pull",
    "repository(plugin:app:pull",
    "repository():app:pull",
    ":app:pull",
    'repository:"app":pull',
    "repository:a\\pp:pull",
    "repository:a\tpp:pull",
    "repository:a\r\npp:pull",
    "repository:äpp:pull",
    "repository:a\x00pp:pull",
    "repository:a\udcffpp:pull",
)


@given(st.lists(SCOPES, max_size=6, unique=True))
def test_what_is_printed_is_read_again(scopes: list[RequestedScope]) -> None:
    assert parse_scopes(" ".join(map(str, scopes))) == tuple(scopes)


@given(st.text(max_size=160) | st.text('repository:(),* \t"\\a/5\n', max_size=160))
def test_no_text_breaks_the_reader_and_what_it_reads_is_plain(text: str) -> None:
    for scope in parse_scopes(text):
        assert parse_scopes(str(scope)) == (scope,)
        assert all("!" <= character <= "~" for character in str(scope))


@given(st.lists(SCOPES | st.sampled_from(NONSENSE), max_size=8))
def test_nonsense_takes_nothing_from_its_neighbours(words: list[RequestedScope | str]) -> None:
    scopes = [word for word in words if isinstance(word, RequestedScope)]
    assert parse_scopes(" ".join(map(str, words))) == tuple(dict.fromkeys(scopes))


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("repository:library/nginx:pull", RequestedScope("repository", "library/nginx", ("pull",))),
        (
            "repository:library/nginx:pull,push",
            RequestedScope("repository", "library/nginx", ("pull", "push")),
        ),
        (
            "repository:registry.example:5000/a/b:pull",
            RequestedScope("repository", "registry.example:5000/a/b", ("pull",)),
        ),
        ("repository(plugin):a/b:pull", RequestedScope("repository", "a/b", ("pull",))),
        ("registry:catalog:*", RequestedScope("registry", "catalog", ("*",))),
        ("repository:app:", RequestedScope("repository", "app", ())),
        ("repository:app:pull,,pull,", RequestedScope("repository", "app", ("pull",))),
    ],
)
def test_the_type_comes_first_and_the_actions_last(text: str, scope: RequestedScope) -> None:
    assert parse_scopes(text) == (scope,)


@pytest.mark.parametrize("text", NONSENSE)
def test_what_is_no_scope_is_left_out(text: str) -> None:
    assert parse_scopes(text) == ()


def test_a_scope_asked_for_twice_counts_once() -> None:
    assert len(parse_scopes("repository:a:pull  repository:b:pull repository:a:pull")) == 2


def test_more_resources_than_any_client_asks_for_are_refused() -> None:
    words = [f"repository:app{number}:pull" for number in range(MOST_SCOPES)]
    assert len(parse_scopes(" ".join([*words, *words, "nonsense"]))) == MOST_SCOPES
    with pytest.raises(InvalidRequest, match=f"^scope: .* {MOST_SCOPES} "):
        parse_scopes(" ".join([*words, "repository:one-more:pull"]))
