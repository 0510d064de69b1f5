"""Names as the specification's grammar has them, for property tests."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from virtreg.model import Algorithm

WORDS = ("manifests", "blobs", "tags", "list", "referrers", "library", "a", "0")
_ALNUM = string.ascii_lowercase + string.digits
_RUNS = st.text(_ALNUM, min_size=1, max_size=6)
_SEPARATORS = st.one_of(st.sampled_from([".", "_", "__"]), st.integers(1, 4).map("-".__mul__))


@st.composite
def components(draw: st.DrawFn) -> str:
    text = draw(_RUNS)
    for _ in range(draw(st.integers(0, 2))):
        text += draw(_SEPARATORS) + draw(_RUNS)
    return text


def names() -> st.SearchStrategy[str]:
    part = st.one_of(components(), st.sampled_from(WORDS))
    return st.lists(part, min_size=1, max_size=5).map("/".join).filter(lambda text: len(text) < 256)


def tags() -> st.SearchStrategy[str]:
    return st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True)


@st.composite
def digests(draw: st.DrawFn) -> tuple[Algorithm, str]:
    algorithm = draw(st.sampled_from([Algorithm.SHA256, Algorithm.SHA512]))
    length = algorithm.hex_length
    return algorithm, draw(st.text("0123456789abcdef", min_size=length, max_size=length))
