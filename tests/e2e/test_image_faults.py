"""Registries of images that fail or lie: a precise answer, no bad byte, and no memory of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from attrs import field, frozen

from tests.e2e.bench import HASTY, Bench, error_of, head
from tests.e2e.hanging import MIB, Part, Picture
from tests.e2e.processes import until
from tests.e2e.server import Setting
from tests.e2e.soundness import unsound_blobs
from tests.e2e.transfer import Transfer, fetch
from virtreg.testing.origin import Gate

pytestmark = pytest.mark.e2e

LAYER = 5 * MIB + 1536
"""Bytes of the large layer, with its records of tar around it."""

WRONG = "sha256:" + "0" * 64


PARTS: tuple[Part, ...] = ("tag", "manifest", "config", "layer", "wide")


@frozen
class Fault:
    """A part that misbehaves, and what is answered to whoever asks for it, or for another."""

    id: str
    part: Part
    behaviour: Mapping[str, Any]
    status: int
    code: str = "UNAVAILABLE"
    says: str = ""
    asks: Part | None = None
    settings: Mapping[str, Setting] = field(factory=dict)

    @property
    def silent(self) -> bool:
        return not self.behaviour.keys().isdisjoint({"hold", "stall_after"})


def _silences(part: Part) -> list[Fault]:
    return [
        Fault(f"{part}-500", part, {"status": 500}, 502, says="500 Internal Server Error"),
        Fault(f"{part}-hangs-up", part, {"silent": True}, 502, says="connection closed"),
        Fault(f"{part}-no-answer", part, {"hold": Gate()}, 504, says="no first byte in 1 s"),
    ]


def _cuts(part: Part, size: int, says: str = "") -> list[Fault]:
    return [
        Fault(
            f"{part}-cut-{percent}",
            part,
            {"cut_after": size * percent // 100, "ranges": False},
            502,
            says=says,
        )
        for percent in (1, 50, 99)
    ]


FAULTS = [
    *(fault for part in PARTS for fault in _silences(part)),
    *_cuts("config", 300, "connection cut"),
    *_cuts("layer", LAYER),
    Fault("tag-no-body", "tag", {"stall_after": 0, "head": 405}, 504, says="no byte of body"),
    Fault("config-no-body", "config", {"stall_after": 0}, 504, says="no byte of body"),
    Fault("tag-refused", "tag", {"status": 403}, 502, says="on_refused"),
    Fault("tag-html", "tag", {"html": True}, 502, says="expected a manifest, got an HTML page"),
    Fault("manifest-html", "manifest", {"html": True}, 502, says="an HTML page"),
    Fault("config-html", "config", {"html": True}, 502, says="sha256"),
    Fault("tag-empty", "tag", {"body": b"", "head": 405}, 502),
    Fault(
        "tag-empty-chunked",
        "tag",
        {"body": b"", "chunked": True, "headers": {"Docker-Content-Digest": ""}},
        502,
        says="empty body",
    ),
    Fault(
        "tag-error",
        "tag",
        {"body": b'{"errors": []}', "headers": {"Docker-Content-Digest": ""}},
        502,
        says="none of schemaVersion, mediaType",
    ),
    Fault("manifest-empty", "manifest", {"body": b""}, 502, asks="tag"),
    Fault("config-empty", "config", {"body": b""}, 502),
    Fault(
        "tag-huge", "tag", {"body": b'{"a":"' + b"a" * (8 * MIB), "head": 405}, 502, says="8388608"
    ),
    Fault(
        "tag-huge-chunked",
        "tag",
        {"body": b'{"a":"' + b"a" * (8 * MIB), "chunked": True, "head": 405},
        502,
    ),
    Fault("manifest-lies", "manifest", {"body": b'{"schemaVersion":2}'}, 502, says="sha256"),
    Fault("manifest-lies-to-tag", "manifest", {"body": b'{"schemaVersion":2}'}, 502, asks="tag"),
    Fault(
        "tag-lies",
        "tag",
        {"headers": {"Docker-Content-Digest": WRONG}, "head": 405},
        502,
        says="sha256",
    ),
    Fault("config-lies", "config", {"body": b"{}"}, 502, says="sha256"),
    Fault("wide-lies", "wide", {"body": b"{}"}, 502, says="sha512"),
    Fault("layer-lies", "layer", {"body": bytes(LAYER)}, 502),
    Fault("layer-stalls", "layer", {"stall_after": LAYER // 2, "ranges": False}, 504),
    Fault("config-stalls", "config", {"stall_after": 100}, 504, says="no byte after the first 100"),
    Fault("config-longer", "config", {"declared_length": 100, "close": True}, 502),
    Fault("config-shorter", "config", {"declared_length": 99_999, "close": True}, 502),
    Fault("layer-longer", "layer", {"declared_length": 3 * MIB, "close": True}, 502),
    Fault("layer-shorter", "layer", {"declared_length": 6 * MIB, "close": True}, 502),
    Fault("tag-shorter", "tag", {"declared_length": 9999, "close": True, "head": 405}, 502),
    Fault(
        "tag-longer-unclaimed",
        "tag",
        {"declared_length": 100, "close": True, "headers": {"Docker-Content-Digest": ""}},
        502,
        says="no JSON",
    ),
    Fault(
        "tag-429", "tag", {"status": 429, "headers": {"Retry-After": "1"}}, 503, "TOOMANYREQUESTS"
    ),
    Fault(
        "manifest-429",
        "manifest",
        {"status": 429, "headers": {"Retry-After": "1"}},
        503,
        "TOOMANYREQUESTS",
        asks="tag",
    ),
    Fault(
        "config-503",
        "config",
        {"status": 503, "headers": {"Retry-After": "1"}},
        503,
        "TOOMANYREQUESTS",
    ),
    Fault(
        "config-inward", "config", {"redirect": "http://10.255.255.1/b"}, 502, says="allow_private"
    ),
    Fault("config-to-file", "config", {"redirect": "file:///etc/passwd"}, 502, says="redirect"),
    Fault("config-loop", "config", {"redirect": "{self}"}, 502, says="redirect loop"),
    Fault("tag-loop", "tag", {"redirect": "{self}"}, 502, says="redirect loop"),
    Fault("manifest-gone", "manifest", {"status": 404}, 404, "MANIFEST_UNKNOWN"),
    Fault("config-gone", "config", {"status": 404}, 404, "BLOB_UNKNOWN"),
]

QUIRKS = [
    Fault("head-404", "tag", {"head": 404}, 200),
    Fault("head-405", "tag", {"head": 405}, 200),
    Fault("head-501", "tag", {"head": 501}, 200),
    Fault("head-without-digest", "tag", {"headers": {"Docker-Content-Digest": ""}}, 200),
    Fault("head-length-0", "tag", {"declared_length": 0, "only_times": 1}, 200),
    Fault("tag-no-length", "tag", {"until_close": True, "head": 405}, 200),
    Fault("tag-chunked", "tag", {"chunked": True, "head": 405}, 200),
    Fault("tag-not-by-digest", "manifest", {"status": 404}, 200, asks="tag"),
    Fault("cut-1-once", "layer", {"cut_after": LAYER // 100, "only_times": 1}, 200),
    Fault("cut-50-ranges", "layer", {"cut_after": LAYER // 2 + 1}, 200),
    Fault("cut-99-ranges", "layer", {"cut_after": LAYER * 99 // 100}, 200),
    Fault(
        "cut-99-no-ranges",
        "layer",
        {"cut_after": LAYER * 99 // 100, "ranges": False, "only_times": 1},
        200,
    ),
    Fault("stall-50-ranges", "layer", {"stall_after": LAYER // 2, "only_times": 1}, 200),
    Fault("small-cut-once", "config", {"cut_after": 100, "only_times": 1}, 200),
    Fault("layer-no-length", "layer", {"until_close": True}, 200),
]

ODD_HEADS = [
    *QUIRKS,
    Fault("blob-head-404", "config", {"head": 404}, 200),
    Fault("blob-head-length-0", "config", {"declared_length": 0, "only_times": 1}, 200),
    Fault("blob-head-html", "config", {"html": True, "only_times": 1}, 200),
]


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Picture:
    return Picture(tmp_path_factory.mktemp("picture"))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("bench")
    slots = {
        fault.id: {"login": True, **(HASTY if fault.silent else {}), **fault.settings}
        for fault in [*FAULTS, *QUIRKS]
    }
    slots |= {f"{fault.id}-by-head": {"login": True} for fault in ODD_HEADS}
    slots |= {"deep": {}, "media-type-png": {}, "media-type-v1-json": {}}
    bench = Bench(folder, (), slots=slots)
    bench.open()
    yield bench
    bench.close()


def _assert_healed(bench: Bench, slot: str, path: str, body: bytes) -> None:
    url = bench.url(slot, path)
    until(lambda: fetch(url).status == 200, "healed answer")
    assert fetch(url).sha256 == hashlib.sha256(body).hexdigest()
    assert unsound_blobs(bench.data) == []
    until(lambda: not bench.spooled(), "empty spool")


def _break(bench: Bench, fault: Fault, picture: Picture, slot: str = "") -> None:
    origin = bench.origins[slot or fault.id]
    picture.hang(origin)
    behaviour = dict(fault.behaviour)
    if "redirect" in behaviour:
        here = f"{origin.url}/v2/{picture.path(fault.part)}"
        behaviour["redirect"] = behaviour["redirect"].replace("{self}", here)
    picture.break_part(origin, fault.part, **behaviour)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_fault_is_told_and_not_remembered(fault: Fault, bench: Bench, picture: Picture) -> None:
    _break(bench, fault, picture)
    asks = fault.asks or fault.part
    path = picture.path(asks)
    with Transfer(bench.url(fault.id, path)) as answer:
        whole = answer.finish()
    if answer.status == 200:
        # Of a large body the head has left by the time the fault shows.
        assert fault.part == "layer"
        assert not whole
    else:
        message = error_of(answer, fault.status, fault.code)
        assert whole
        assert fault.says in message
        if fault.status != 404:
            assert fault.id in message
            assert int(answer.headers["retry-after"]) >= 1
    picture.hang(bench.origins[fault.id])
    if fault.status == 404:
        return  # Remembered for a while on purpose.
    _assert_healed(bench, fault.id, path, picture.content(asks))


@pytest.mark.parametrize("fault", QUIRKS, ids=lambda fault: fault.id)
def test_a_quirk_is_lived_with(fault: Fault, bench: Bench, picture: Picture) -> None:
    _break(bench, fault, picture)
    asks = fault.asks or fault.part
    body = picture.content(asks)
    answer = fetch(bench.url(fault.id, picture.path(asks)))
    assert (answer.status, answer.size) == (200, len(body)), answer.head[:300]
    assert answer.sha256 == hashlib.sha256(body).hexdigest()
    until(lambda: not bench.spooled(), "empty spool")


@pytest.mark.parametrize("fault", ODD_HEADS, ids=lambda fault: fault.id)
def test_head_tells_the_truth_of_a_quirk(fault: Fault, bench: Bench, picture: Picture) -> None:
    slot = f"{fault.id}-by-head"
    _break(bench, fault, picture, slot)
    asks = fault.asks or fault.part
    url = bench.url(slot, picture.path(asks))
    told = head(url)
    answer = fetch(url)
    assert answer.sha256 == hashlib.sha256(picture.content(asks)).hexdigest()
    for name in ("content-type", "content-length", "docker-content-digest", "etag"):
        assert told[name] == answer.headers[name]


def test_a_body_that_is_what_its_digest_says_is_served_however_deep(
    bench: Bench, picture: Picture
) -> None:
    origin = bench.origins["deep"]
    deep = b'{"schemaVersion":2,"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    digest = f"sha256:{hashlib.sha256(deep).hexdigest()}"
    for reference in ("1", digest):
        path = f"v2/lab/deep/manifests/{reference}"
        origin.put(path, deep, headers={"Docker-Content-Digest": digest})
    answer = fetch(bench.url("deep", "lab/deep/manifests/1"))
    assert (answer.status, answer.headers["docker-content-digest"]) == (200, digest)
    assert answer.sha256 == digest.removeprefix("sha256:")
    origin.put("v2/lab/deep/tags/list", b'{"tags":' + b"[" * 200_000 + b"]" * 200_000 + b"}")
    answer = fetch(bench.url("deep", "lab/deep/tags/list"))
    assert "deep" in error_of(answer, 502, "UNAVAILABLE")


@pytest.mark.parametrize("lie", ["image/png", "application/vnd.oci.image.index.v1+json"])
def test_a_manifest_is_called_what_it_says_it_is(lie: str, bench: Bench, picture: Picture) -> None:
    slot = f"media-type-{lie.rpartition('.')[2] if '.' in lie else 'png'}".replace("+", "-")
    origin = bench.origins[slot]
    picture.hang(origin)
    parts: tuple[Part, ...] = ("tag", "manifest")
    for part in parts:
        picture.break_part(origin, part, headers={"Content-Type": lie})
    for part in parts:
        answer = fetch(bench.url(slot, picture.path(part)))
        assert answer.headers["content-type"] == picture.image.top.media_type
