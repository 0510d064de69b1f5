"""The texts of tokens: their grammar, their kinds, their digests."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.backends.auth.secret_text import digest_of, kind_of, new_secret
from virtreg.core.identity import TokenKind


@pytest.mark.parametrize(
    ("kind", "letter"),
    [
        (TokenKind.PERSONAL, "p"),
        (TokenKind.GROUP, "g"),
        (TokenKind.DEPLOY, "d"),
        (TokenKind.JOB, "j"),
    ],
)
def test_a_new_text_tells_its_kind_and_nothing_else(kind: TokenKind, letter: str) -> None:
    made = [new_secret(kind).reveal() for _ in range(50)]
    for text in made:
        assert re.fullmatch(rf"vr{letter}_[0-9A-Za-z]{{43}}", text)
        assert kind_of(text) is kind
    assert len(set(made)) == 50
    assert len(set("".join(text[4:] for text in made))) == 62


def test_a_new_secret_does_not_print() -> None:
    secret = new_secret(TokenKind.PERSONAL)
    assert secret.reveal() not in f"{secret} {secret!r}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "vrp_",
        "vrx_" + "a" * 43,
        "vrp-" + "a" * 43,
        "vrp_" + "a" * 42,
        "vrp_" + "a" * 44,
        "vrp_" + "a" * 42 + "-",
        "vrp_" + "a" * 42 + "é",
        "vrp_" + "a" * 42 + "٣",
        "vrp_" + "a" * 43 + "\n",
        " vrp_" + "a" * 43,
        "VRP_" + "a" * 43,
    ],
)
def test_what_is_out_of_the_grammar_is_no_token(text: str) -> None:
    assert kind_of(text) is None


def test_the_digest_is_that_of_the_text() -> None:
    text = "vrp_" + "a" * 43
    assert digest_of(text) == hashlib.sha256(text.encode()).hexdigest()


@given(st.text(st.characters(categories=["L", "N", "P", "Cs"])))
def test_every_text_has_a_digest(text: str) -> None:
    assert re.fullmatch("[0-9a-f]{64}", digest_of(text))
