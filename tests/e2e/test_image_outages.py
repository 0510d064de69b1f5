"""Images while registries are down, throttle, or move: what is held is served and said to be old,
and the order of upstreams holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from tests.e2e import images
from tests.e2e.bench import Bench, error_of
from tests.e2e.conftest import Serve
from tests.e2e.hanging import Picture, hang, lock_for, told
from tests.e2e.images import Image
from tests.e2e.podman import Podman
from tests.e2e.processes import until
from tests.e2e.server import Server, Setting, Upstream
from tests.e2e.skopeo import Skopeo
from tests.e2e.soundness import unsound_blobs
from tests.e2e.stored import PullFailed, Stored
from tests.e2e.transfer import Transfer, fetch
from virtreg.testing.origin import Gate, Origin, Tokens

pytestmark = pytest.mark.e2e

AT_ONCE_OLD = {"cache_validity_hours": 1e-9, "metadata_cache_validity_hours": 1e-9}
DECOY = images.single("lab/thing", layers=3)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Picture:
    return Picture(tmp_path_factory.mktemp("picture"))


@pytest.fixture
def hub() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture
def server(hub: Origin, serve: Serve) -> Server:
    """Over the hub, with nothing that is good for longer than a moment."""
    settings = {"read_timeout": 20, "negative_validity_seconds": 0, **AT_ONCE_OLD}
    return serve(Upstream("hub", hub.url, settings), kind="container")


@pytest.fixture
def skopeo(tmp_path: Path) -> Skopeo:
    return Skopeo(tmp_path / "skopeo")


def _ask(server: Server, path: str) -> Transfer:
    return fetch(f"http://{server.host}/v2/main/{path}")


def _tag(image: Image) -> str:
    return f"{image.name}/manifests/{image.tag}"


def _assert_image(answer: Transfer, image: Image) -> None:
    """The manifest whole, under its own digest."""
    assert answer.status == 200, answer.head
    assert f"sha256:{answer.sha256}" == image.digest == answer.headers["docker-content-digest"]
    assert answer.headers["content-type"] == image.top.media_type


def _fill(server: Server, image: Image) -> None:
    """Pull the tag, and wait until it is held."""
    _assert_image(_ask(server, _tag(image)), image)
    until(lambda: _ask(server, _tag(image)).headers["x-virtreg-cache"] == "revalidated", "held tag")


def _assert_stale(answer: Transfer) -> None:
    assert answer.headers["x-virtreg-cache"] == "stale"
    assert answer.headers["warning"].startswith('299 - "stale: hub could not be asked')


@frozen
class Order:
    """Three upstreams that answer for one tag; ``status`` and ``code`` of the answer, and who is
    named in it. With 200 the last one has answered."""

    id: str
    behaviours: Sequence[Mapping[str, Any]]
    status: int
    code: str = ""
    names: str = ""
    settings: Sequence[Mapping[str, Setting]] = ({}, {}, {})
    hints: str = ""


ABSENT: Mapping[str, Any] = {"status": 404}
REFUSED: Mapping[str, Any] = {"status": 403}
BROKEN: Mapping[str, Any] = {"status": 500}
DENIED: Mapping[str, Any] = {"denied": True}
THROTTLED: Mapping[str, Any] = {"status": 429, "headers": {"Retry-After": "7"}}
WELL: Mapping[str, Any] = {}
PASS: Mapping[str, Setting] = {"on_error": "continue"}
AS_ABSENT: Mapping[str, Setting] = {"on_refused": "absent"}
AS_ERROR: Mapping[str, Setting] = {"on_refused": "error"}

ORDERS = [
    Order("absent-absent-well", (ABSENT, ABSENT, WELL), 200),
    Order(
        "absent-refused-well", (ABSENT, REFUSED, WELL), 502, "UNAVAILABLE", "b", hints="on_refused"
    ),
    Order("absent-broken-well", (ABSENT, BROKEN, WELL), 502, "UNAVAILABLE", "b", hints="on_error"),
    Order("broken-absent-well", (BROKEN, ABSENT, WELL), 502, "UNAVAILABLE", "a", hints="on_error"),
    Order("broken-refused-well", (BROKEN, REFUSED, WELL), 502, "UNAVAILABLE", "a"),
    Order("passed-absent-well", (BROKEN, ABSENT, WELL), 200, settings=(PASS, {}, {})),
    Order("passed-refused-well", (BROKEN, REFUSED, WELL), 502, "UNAVAILABLE", "b", (PASS, {}, {})),
    Order(
        "passed-absent-absent", (BROKEN, ABSENT, ABSENT), 502, "UNAVAILABLE", "a", (PASS, {}, {})
    ),
    Order("refused-read-as-absent", (REFUSED, ABSENT, WELL), 200, settings=(AS_ABSENT, {}, {})),
    Order(
        "nothing-but-read-as-absent",
        (REFUSED, ABSENT, ABSENT),
        404,
        "MANIFEST_UNKNOWN",
        "a",
        (AS_ABSENT, {}, {}),
    ),
    Order("denied-to-strangers", (DENIED, ABSENT, WELL), 200),
    Order("denied-to-all", (DENIED, ABSENT, ABSENT), 404, "MANIFEST_UNKNOWN", "a"),
    Order("denied-is-error", (DENIED, ABSENT, WELL), 502, "UNAVAILABLE", "a", (AS_ERROR, {}, {})),
    Order(
        "denied-to-member",
        (DENIED, ABSENT, WELL),
        502,
        "UNAVAILABLE",
        "a",
        ({"login": True}, {}, {}),
    ),
    Order(
        "denied-to-member-absent",
        (DENIED, ABSENT, WELL),
        200,
        settings=({"login": True, **AS_ABSENT}, {}, {}),
    ),
    Order("throttled", (THROTTLED, ABSENT, WELL), 503, "TOOMANYREQUESTS", "a"),
    Order("all-absent", (ABSENT, ABSENT, ABSENT), 404, "MANIFEST_UNKNOWN", ""),
]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    slots = {
        f"{order.id}-{letter}": {"negative_validity_seconds": 0, **settings}
        for order in ORDERS
        for letter, settings in zip("abc", order.settings, strict=True)
    }
    groups = {order.id: [f"{order.id}-{letter}" for letter in "abc"] for order in ORDERS}
    bench = Bench(tmp_path_factory.mktemp("bench"), (), slots=slots, groups=groups)
    bench.open()
    yield bench
    bench.close()


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.id)
def test_the_order_of_three_upstreams_holds_for_tags(order: Order, bench: Bench) -> None:
    origins = [bench.origins[f"{order.id}-{letter}"] for letter in "abc"]
    for origin, behaviour in zip(origins, order.behaviours, strict=True):
        _let(origin, behaviour)
    answer = fetch(bench.url(order.id, _tag(DECOY)))
    if order.status == 200:
        _assert_image(answer, DECOY)
    else:
        message = error_of(answer, order.status, order.code)
        assert not order.names or f"{order.id}-{order.names}" in message
        assert order.hints in message
        # It may have been asked whether, and was not asked for.
        assert {seen.method for seen in origins[2].requests} <= {"HEAD"} or (
            order.behaviours[2] is ABSENT
        )
    if "throttled" in order.id:
        assert 1 <= int(answer.headers["retry-after"]) <= 7
        return
    # The one at the top decides as soon as it is well.
    top = images.single("lab/thing")
    hang(origins[0], top)
    hang(origins[1], top)
    if order.status != 200:
        until(lambda: fetch(bench.url(order.id, _tag(top))).status == 200, "healed answer")
        _assert_image(fetch(bench.url(order.id, _tag(top))), top)


@pytest.mark.parametrize("trouble", [ABSENT, REFUSED, BROKEN], ids=["absent", "refused", "broken"])
def test_what_a_digest_fixes_may_come_from_any(
    trouble: Mapping[str, Any], serve: Serve, skopeo: Skopeo
) -> None:
    with Origin() as top, Origin() as behind:
        server = serve(Upstream("top", top.url), Upstream("behind", behind.url), kind="container")
        hang(top, DECOY, **trouble)
        hang(behind, DECOY)
        assert skopeo.copy(DECOY.by_digest(server.images)) == DECOY.digests


def _let(origin: Origin, behaviour: Mapping[str, Any]) -> None:
    path = f"v2/{_tag(DECOY)}"
    if behaviour is WELL:
        hang(origin, DECOY)
    elif behaviour is DENIED:
        origin.put("token", mint=Tokens())
        origin.put(path, lock=lock_for(origin, DECOY.name, Tokens()))
    else:
        origin.put(path, **behaviour)


def test_throttled_tags_are_served_old_and_told_so(
    hub: Origin, server: Server, picture: Picture
) -> None:
    picture.hang(hub)
    _fill(server, picture.image)
    for image in (picture.image, picture.wide):
        hub.put(f"v2/{_tag(image)}", status=429, headers={"Retry-After": "2"})
    answer = _ask(server, _tag(picture.image))
    _assert_image(answer, picture.image)
    _assert_stale(answer)
    held = _ask(server, f"lab/thing/manifests/{picture.image.digest}")
    _assert_image(held, picture.image)
    assert "warning" not in held.headers
    nothing = _ask(server, _tag(picture.wide))
    message = error_of(nothing, 503, "TOOMANYREQUESTS")
    assert "hub asked us to slow down" in message
    assert 1 <= int(nothing.headers["retry-after"]) <= 2
    picture.hang(hub)
    hang(hub, picture.later)
    until(lambda: _ask(server, _tag(picture.wide)).status == 200, "end of the pause")
    # An old answer may be repeated for some seconds.
    new = picture.later.digest.removeprefix("sha256:")
    until(lambda: _ask(server, _tag(picture.later)).sha256 == new, "tag that moved meanwhile")
    _assert_image(_ask(server, _tag(picture.later)), picture.later)


def test_a_used_up_quota_costs_what_is_not_held_alone(
    hub: Origin, server: Server, picture: Picture
) -> None:
    picture.hang(hub)
    _fill(server, picture.image)
    spent = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600"}
    for image in (picture.image, picture.wide):
        headers = {**told(image.top), **spent}
        hub.put(f"v2/{_tag(image)}", image.top.body, headers=headers)
    gets = len([seen for seen in hub.requests if seen.method == "GET"])
    again = _ask(server, _tag(picture.image))
    _assert_image(again, picture.image)
    assert (again.headers["x-virtreg-cache"], again.headers.get("warning")) == ("revalidated", None)
    nothing = _ask(server, _tag(picture.wide))
    assert "quota is used up" in error_of(nothing, 503, "TOOMANYREQUESTS")
    assert 1 <= int(nothing.headers["retry-after"]) <= 60
    assert len([seen for seen in hub.requests if seen.method == "GET"]) == gets
    assert _ask(server, picture.path("config")).status == 200
    # What moved cannot be had: the old one, said to be old.
    hub.put(f"v2/{_tag(picture.image)}", DECOY.top.body, headers={**told(DECOY.top), **spent})
    moved = _ask(server, _tag(picture.image))
    _assert_image(moved, picture.image)
    _assert_stale(moved)


def test_all_that_is_held_is_pulled_while_its_registry_is_down(
    hub: Origin, server: Server, skopeo: Skopeo, picture: Picture, tmp_path: Path
) -> None:
    image = picture.image
    hang(hub, image)
    hub.put("v2/lab/thing/tags/list", b'{"name":"lab/thing","tags":["1"]}')
    reference = image.by_tag(server.images)
    assert skopeo.copy(reference) == image.digests
    assert skopeo.tags(f"{server.images}/lab/thing") == ["1"]
    _fill(server, image)
    until(lambda: not server.spooled(), "empty spool")
    hub.close()
    _assert_stale(_ask(server, _tag(image)))
    for path in (picture.path("manifest"), picture.path("config"), picture.path("layer")):
        answer = _ask(server, path)
        assert (answer.status, answer.headers.get("warning")) == (200, None)
    assert "hub" in _ask(server, "lab/thing/tags/list").headers["warning"]
    assert skopeo.copy(reference) == image.digests
    assert skopeo.copy(image.by_digest(server.images)) == image.digests
    assert skopeo.tags(f"{server.images}/lab/thing") == ["1"]
    assert Podman(tmp_path / "podman").pull(reference) == Stored.of(image)
    message = error_of(_ask(server, _tag(picture.wide)), 502, "UNAVAILABLE")
    assert "hub" in message
    with pytest.raises(PullFailed):
        skopeo.copy(picture.wide.by_tag(server.images))


def test_a_token_service_that_is_down_is_not_missed_by_what_is_held(
    hub: Origin, server: Server, skopeo: Skopeo
) -> None:
    tokens = Tokens()
    hub.put("token", mint=tokens)
    hang(hub, DECOY, lock=lock_for(hub, DECOY.name, tokens))
    assert skopeo.copy(DECOY.by_tag(server.images)) == DECOY.digests
    _fill(server, DECOY)
    tokens.revoke()
    hub.put("token", silent=True)
    answer = _ask(server, _tag(DECOY))
    _assert_image(answer, DECOY)
    _assert_stale(answer)
    assert "token service" in answer.headers["warning"]
    assert skopeo.copy(DECOY.by_tag(server.images)) == DECOY.digests


def test_a_tag_that_flips_between_head_and_get_is_one_image_or_the_other(
    hub: Origin, server: Server, picture: Picture
) -> None:
    before, after = picture.image, picture.later
    hang(hub, after)
    bodies = (before.top.body, after.top.body)
    hub.put(f"v2/{_tag(before)}", bodies, headers=told(before.top), only_times=1)
    _assert_image(_ask(server, _tag(before)), after)
    assert [seen.method for seen in hub.requests] == ["HEAD", "GET", "GET"]


def test_a_tag_that_flips_in_the_middle_of_a_pull_disturbs_nobody(
    hub: Origin, server: Server, skopeo: Skopeo, picture: Picture
) -> None:
    before, after = picture.image, picture.later
    hang(hub, before)
    gate = Gate()
    picture.break_part(hub, "config", hold=gate)
    with ThreadPoolExecutor(1) as threads:
        pulling = threads.submit(skopeo.copy, before.by_tag(server.images), name="before")
        gate.await_arrival()
        hang(hub, after)
        gate.release()
        assert pulling.result(60) == before.digests
    assert skopeo.copy(after.by_tag(server.images), name="after") == after.digests
    assert skopeo.copy(before.by_digest(server.images), name="still") == before.digests


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param({"body": b"\x1f\x8b" * 1024}, id="wrong bytes"),
        pytest.param({"cut_after": 2 * 1024 * 1024, "ranges": False}, id="always cut"),
        pytest.param({"html": True}, id="login page"),
    ],
)
def test_a_client_fails_on_a_bad_layer_and_pulls_when_it_is_well(
    behaviour: Mapping[str, Any], hub: Origin, server: Server, skopeo: Skopeo, picture: Picture
) -> None:
    picture.hang(hub)
    picture.break_part(hub, "layer", **behaviour)
    reference = picture.image.by_tag(server.images)
    with pytest.raises(PullFailed):
        skopeo.copy(reference)
    assert unsound_blobs(server.data) == []
    picture.hang(hub)
    until(lambda: _ask(server, picture.path("layer")).status == 200, "healed answer")
    assert skopeo.copy(reference) == picture.image.digests
    until(lambda: not server.spooled(), "empty spool")


@pytest.mark.parametrize("ranges", [True, False])
def test_a_client_does_not_notice_a_layer_that_broke_off_once(
    ranges: bool, hub: Origin, server: Server, skopeo: Skopeo, picture: Picture
) -> None:
    picture.hang(hub)
    half = len(picture.content("layer")) // 2
    picture.break_part(hub, "layer", cut_after=half, ranges=ranges, only_times=1)
    assert skopeo.copy(picture.image.by_tag(server.images)) == picture.image.digests
