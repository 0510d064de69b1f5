from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.prefetch.images import manifest_path

DIGEST = f"sha256:{'a' * 64}"
NAMES = st.from_regex(r"[a-z0-9]+(/[a-z0-9]+){0,3}", fullmatch=True)
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True)


@pytest.mark.parametrize(
    ("image", "path"),
    [
        ("alpine", "alpine/manifests/latest"),
        ("alpine:3.20", "alpine/manifests/3.20"),
        ("team/app:v1", "team/app/manifests/v1"),
        (f"alpine@{DIGEST}", f"alpine/manifests/{DIGEST}"),
        (f"alpine:3.20@{DIGEST}", f"alpine/manifests/{DIGEST}"),
        ("localhost:5000/app", "localhost:5000/app/manifests/latest"),
    ],
)
def test_a_reference_is_a_manifest(image: str, path: str) -> None:
    assert manifest_path(image) == path


@given(NAMES, TAGS)
def test_name_and_tag_are_told_apart(name: str, tag: str) -> None:
    assert manifest_path(f"{name}:{tag}") == f"{name}/manifests/{tag}"
