"""What manifests refer to, and what kind of manifest a document is."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.errors import IntegrityError
from virtreg.formats.container.manifests import Descriptor, children
from virtreg.formats.container.media_types import OCI_INDEX, OCI_MANIFEST
from virtreg.formats.container.outline import stated_type
from virtreg.model import Algorithm

HEX = "0123456789abcdef" * 4
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"


def entry(media_type: str, hexadecimal: str = HEX, size: int = 7, **more: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{hexadecimal}", "size": size, **more}


def manifest(**fields: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, **fields}).encode()


def test_an_image_has_its_config_and_layers() -> None:
    far = f"sha512:{HEX * 2}"
    document = manifest(
        mediaType=OCI_MANIFEST,
        config=entry(CONFIG),
        layers=[entry(LAYER, size=0), {"mediaType": "x/y", "digest": far, "size": 9}],
        subject=entry(OCI_MANIFEST),
    )
    assert children(document) == (
        Descriptor(CONFIG, (Algorithm.SHA256, HEX), 7, None, "blob"),
        Descriptor(LAYER, (Algorithm.SHA256, HEX), 0, None, "blob"),
        Descriptor("x/y", (Algorithm.SHA512, HEX * 2), 9, None, "blob"),
    )


def test_an_index_has_manifests_for_platforms() -> None:
    platforms: list[dict[str, str] | None] = [
        {"os": "linux", "architecture": "amd64"},
        {"os": "linux", "architecture": "arm", "variant": "v7"},
        {"os": "windows", "architecture": "amd64", "os.version": "10.0.1"},
        {"os": "unknown", "architecture": "unknown"},
        None,
    ]
    document = manifest(manifests=[entry(OCI_INDEX, platform=one) for one in platforms])
    found = children(document)
    assert [child.platform for child in found] == [
        "linux/amd64",
        "linux/arm/v7",
        "windows/amd64",
        "unknown/unknown",
        None,
    ]
    assert {child.kind for child in found} == {"manifest"}
    assert {child.media_type for child in found} == {OCI_INDEX}


def test_artifacts_and_empty_images_are_manifests() -> None:
    assert children(manifest(manifests=[])) == ()
    assert children(manifest(manifests=None)) == ()
    assert children(manifest(config=entry("application/vnd.oci.empty.v1+json"), layers=None))
    assert children(manifest(artifactType="a/b", blobs=[entry("text/plain")]))[0].kind == "blob"


def test_layers_outside_the_registry_are_left_out() -> None:
    foreign = entry(LAYER, urls=["https://elsewhere.example/layer"])
    found = children(manifest(config=entry(CONFIG), layers=[foreign, entry(LAYER)]))
    assert [child.media_type for child in found] == [CONFIG, LAYER]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "no JSON"),
        (b"<html>", "no JSON"),
        (b"\xff\xfe{}", "no JSON"),
        (b"[]", "no JSON object"),
        (b'{"size": NaN}', "NaN is no number"),
        (b"{}", "no config, layers or manifests"),
        (b'{"fsLayers": []}', "no config, layers or manifests"),
        (manifest(manifests=[], layers=[]), "both 'manifests' and 'layers'"),
        (manifest(layers={}), "layers is no list"),
        (manifest(config=[]), "config is no descriptor"),
        (manifest(layers=[entry(LAYER), 1]), r"layers\[1\] is no descriptor"),
        (manifest(layers=[{"size": 1}]), r"layers\[0\]\.digest is missing"),
        (manifest(manifests=[entry(OCI_INDEX, "x")]), r"manifests\[0\]\.digest: 'sha256:x' is no"),
        (manifest(layers=[entry(LAYER, size=-1)]), r"layers\[0\]\.size is no number of bytes"),
        (manifest(layers=[entry(LAYER, size=True)]), r"layers\[0\]\.size is no number of bytes"),
        (manifest(layers=[entry(LAYER, size=2**63)]), r"layers\[0\]\.size is no number of bytes"),
        (manifest(config=entry(LAYER, platform={"os": "\x1b[2J"})), r"config\.platform has a char"),
        (manifest(config={**entry(LAYER), "mediaType": 1}), r"config\.mediaType is no text"),
        (manifest(config=entry(LAYER, platform="linux")), r"config\.platform is no object"),
        (manifest(config=entry(LAYER, platform={"os": 1})), r"config\.platform has a field"),
        (b"[" * 100_000, "nested more than 64 deep"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "nested more than 64 deep"),
        (b" " * (8 * 1024**2 + 1), "has 8388609 bytes; at most 8388608"),
        (b'{"size": ' + b"1" * 5000 + b"}", "no JSON"),
    ],
)
def test_what_is_no_manifest_is_corrupt(document: bytes, reason: str) -> None:
    with pytest.raises(IntegrityError, match=reason):
        children(document)


def test_brackets_in_texts_are_no_depth() -> None:
    note = '\\"' + "[{" * 200
    assert children(manifest(manifests=[], annotations={"note": note})) == ()


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=9))
def test_any_json_is_a_manifest_or_corrupt(value: Any) -> None:
    for field in ("config", "layers", "manifests", "blobs"):
        for document in (manifest(**{field: value}), manifest(**{field: [{"digest": value}]})):
            with contextlib.suppress(IntegrityError):
                assert children(document) == ()


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (manifest(mediaType=OCI_INDEX, manifests=[]), OCI_INDEX),
        (manifest(manifests=[entry("a/b")], mediaType="c/d"), "c/d"),
        (manifest(manifests=[entry("a/b")]), OCI_INDEX),
        (manifest(config=entry("a/b"), layers=[]), OCI_MANIFEST),
        (manifest(layers=[entry("a/b")]), OCI_MANIFEST),
        (manifest(config=entry("a/b"), mediaType="c/d")[:60], OCI_MANIFEST),
        (manifest(annotations={"mediaType": "a/b", "manifests": ""}), None),
        (manifest(note='"mediaType":"a/b"'), None),
        (manifest(mediaType="a/b\r\nX: 1", layers=[]), OCI_MANIFEST),
        (manifest(mediaType=["a/b"]), None),
        (b'{"mediaType": "a/b', None),
        (b'{"mediaType"', None),
        (b"", None),
        (b"\x00\xff", None),
    ],
)
def test_a_document_says_what_it_is(head: bytes, media_type: str | None) -> None:
    assert stated_type(head) == media_type


@given(st.binary(max_size=200), st.integers(0, 300))
def test_any_bytes_are_looked_at(noise: bytes, cut: int) -> None:
    document = manifest(config=entry("a/b"), mediaType="c/d", layers=[])
    assert stated_type(document[:cut]) in (None, "c/d", OCI_MANIFEST)
    stated_type(noise)
