"""Upstreams that want to know who asks, and clients that say nothing of themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import images, marked
from tests.e2e.conftest import Serve
from tests.e2e.distribution import LOGIN, Distribution, guarded
from tests.e2e.gallery import Gallery
from tests.e2e.server import Upstream
from tests.e2e.skopeo import Skopeo
from tests.e2e.stored import PullFailed
from tests.e2e.tokens import Asked, Tokens
from tests.e2e.transfer import fetch

pytestmark = pytest.mark.e2e


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[Tokens]:
    with Tokens(tmp_path / "tokens", dict([LOGIN])) as server:
        yield server


@pytest.fixture
def private(tokens: Tokens, pictures: Gallery, tmp_path: Path) -> Iterator[Distribution]:
    """A registry that gives ``library/`` to everybody who has a token for nobody."""
    folder = tmp_path / "private"
    with Distribution(folder, pictures.storage("second"), tokens.auth) as registry:
        yield registry


@pytest.fixture
def skopeo(tmp_path: Path) -> Skopeo:
    return Skopeo(tmp_path / "skopeo")


@pytest.fixture
def login(tmp_path: Path) -> dict[str, str]:
    """Settings of an upstream that proves who asks."""
    return _login(tmp_path, *LOGIN)


def _login(folder: Path, username: str, password: str) -> dict[str, str]:
    file = folder / f"password-of-{username}"
    file.write_text(password)
    return {"username": username, "password": f"file:{file}"}


def test_a_registry_with_passwords_is_pulled_from(
    serve: Serve, skopeo: Skopeo, pictures: Gallery, login: dict[str, str], tmp_path: Path
) -> None:
    image = pictures.multi
    with guarded(tmp_path / "guarded", pictures.storage("second")) as registry:
        server = serve(Upstream("guarded", registry.url, login), kind="container")
        assert skopeo.copy(image.by_tag(server.images), everything=True) == image.digests
        asked = registry.requests()
        assert skopeo.copy(image.by_tag(server.images), everything=True) == image.digests
        assert registry.requests() == asked


def test_a_wrong_password_is_an_error_and_no_absence(
    serve: Serve, skopeo: Skopeo, pictures: Gallery, tmp_path: Path
) -> None:
    image = pictures.single
    secret = marked.SECRETS.make("a wrong password")
    wrong = _login(tmp_path, LOGIN[0], secret)
    with (
        guarded(tmp_path / "guarded", pictures.storage("second")) as registry,
        Distribution(tmp_path / "open", pictures.storage("third")) as behind,
    ):
        server = serve(
            Upstream("guarded", registry.url, wrong),
            Upstream("open", behind.url),
            kind="container",
        )
        with pytest.raises(PullFailed, match="502"):
            skopeo.copy(image.by_tag(server.images))
        answer = fetch(f"http://{server.host}/v2/main/{image.name}/manifests/{image.tag}")
        [error] = json.loads(answer.head)["errors"]
        assert "guarded" in error["message"]
        told = f"{answer.headers}".encode() + answer.head
        assert marked.SECRETS.found("answer", told) == []
        assert behind.sent(image) == []


def test_a_registry_with_tokens_is_pulled_from(
    private: Distribution,
    tokens: Tokens,
    serve: Serve,
    skopeo: Skopeo,
    pictures: Gallery,
    login: dict[str, str],
) -> None:
    server = serve(Upstream("private", private.url, login), kind="container")
    for image in (pictures.many, pictures.multi):
        assert skopeo.copy(image.by_tag(server.images)) == image.first
    # One token a repository, however many parts the image has.
    assert tokens.seen == [
        Asked(LOGIN[0], (f"repository:{image.name}:pull",), 200)
        for image in (pictures.many, pictures.multi)
    ]


def test_a_public_image_is_pulled_with_a_token_for_nobody(
    private: Distribution, tokens: Tokens, serve: Serve, skopeo: Skopeo, pictures: Gallery
) -> None:
    server = serve(Upstream("private", private.url), kind="container")
    image = pictures.multi
    assert skopeo.copy(image.by_tag(server.images), everything=True) == image.digests
    assert tokens.seen == [Asked(None, (f"repository:{image.name}:pull",), 200)]


def test_what_an_anonymous_upstream_keeps_to_itself_is_sought_behind_it(
    private: Distribution, serve: Serve, skopeo: Skopeo, pictures: Gallery, tmp_path: Path
) -> None:
    decoy = images.single("lab/many", layers=3)
    with Distribution(tmp_path / "open", pictures.storage("third")) as behind:
        server = serve(
            Upstream("private", private.url), Upstream("open", behind.url), kind="container"
        )
        assert skopeo.copy(decoy.by_tag(server.images)) == decoy.digests


def test_a_stopped_token_server_is_not_missed_by_what_is_cached(
    serve: Serve, skopeo: Skopeo, pictures: Gallery, login: dict[str, str], tmp_path: Path
) -> None:
    image = pictures.multi
    tokens = Tokens(tmp_path / "tokens", dict([LOGIN]))
    with Distribution(tmp_path / "private", pictures.storage("second"), tokens.auth) as registry:
        with tokens:
            upstream = Upstream("private", registry.url, {**login, "cache_validity_hours": 1e-9})
            server = serve(upstream, kind="container")
            assert skopeo.copy(image.by_tag(server.images), everything=True) == image.digests
            # The tokens it has are forgotten.
            server.stop()
        server.start()
        assert skopeo.copy(image.by_tag(server.images), everything=True) == image.digests
