"""Everything that reads what a stranger wrote, as functions of bytes. Each lets through what the
reader may raise, and asserts what must hold of what was read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Final

from tests.fuzz import deciding, managing, reaching
from virtreg.backends.auth.doors import look_into, presented
from virtreg.backends.http.tokenservice import read_token
from virtreg.core.challenges import parse_challenges
from virtreg.core.digests import etag_claims, header_claims, parse_sidecar
from virtreg.core.egress import EgressPolicy, check_url
from virtreg.core.etags import parse_tags
from virtreg.core.httpdate import parse_http_date
from virtreg.core.ranges import select_ranges
from virtreg.core.scopes import parse_scopes
from virtreg.errors import IntegrityError, InvalidRequest, NotFound, Unauthenticated
from virtreg.formats.container import catalog, manifests, merging, referrers, tags
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.formats.container.links import next_query
from virtreg.formats.maven import merging as maven_merging
from virtreg.formats.maven import prefixes
from virtreg.formats.maven.adapter import MavenFormat
from virtreg.formats.maven.metadata import read
from virtreg.formats.maven.printing import write
from virtreg.formats.maven.versions import version_key
from virtreg.model import Algorithm, Credentials
from virtreg.wsgi.addresses import Addresses
from virtreg.wsgi.hosts import AllowedHosts, WrongHost
from virtreg.wsgi.query import parse_query

_CONTAINER = ContainerFormat()
_MAVEN = MavenFormat()
_TAGS = _CONTAINER.route("a/tags/list")
_MANIFEST = _CONTAINER.route("a/manifests/latest")
_POLICY = EgressPolicy()
_PROXIES = Addresses(["10.0.0.0/8"])
_HOSTS = AllowedHosts(["repo.example.org"])
_SIZE = 1000


def _latin(noise: bytes) -> str:
    """As headers and paths come (PEP 3333)."""
    return noise.decode("latin-1")


def maven_path(noise: bytes) -> None:
    with suppress(InvalidRequest, NotFound):
        route = _MAVEN.route(noise.decode("utf-8", "replace"))
        segments = route.path.split("/")
        assert not {"", ".", ".."} & set(segments)
        assert "\\" not in route.path
        assert not any(character < " " for character in route.path)
        assert _MAVEN.route(route.path).path == route.path


def maven_metadata(noise: bytes) -> None:
    with suppress(IntegrityError):
        metadata = read(noise)
        assert read(write(metadata)) == metadata


def maven_merge(noise: bytes) -> None:
    documents = [(f"up{number}", part) for number, part in enumerate(noise.split(b"\xff"))]
    with suppress(IntegrityError):
        merged, _ = maven_merging.merge("org/a/maven-metadata.xml", documents)
        read(merged)


def maven_prefixes(noise: bytes) -> None:
    with suppress(NotFound):
        merged = prefixes.merge([("a", noise), ("b", b"## repository-prefixes/2.0\n/org\n")])
        assert prefixes.merge([("a", merged)]) == merged


def maven_version(noise: bytes) -> None:
    left, _, right = noise.decode("utf-8", "replace").partition("\n")
    one, other = version_key(left), version_key(right)
    assert (one < other) + (other < one) + (one == other) == 1


def maven_file(noise: bytes) -> None:
    headers, _, head = noise.partition(b"\n\n")
    route = _MAVEN.route("org/a/1/a-1.pom")
    _MAVEN.examine(route, {"content-type": _latin(headers)}, head)


def container_path(noise: bytes) -> None:
    with suppress(InvalidRequest, NotFound):
        route = _CONTAINER.route(noise.decode("utf-8", "replace"))
        assert route.path.isascii()
        assert not {"", ".", ".."} & set(route.path.split("/"))
        assert _CONTAINER.route(route.path) == route


def container_manifest(noise: bytes) -> None:
    with suppress(IntegrityError):
        for child in manifests.children(noise):
            assert child.size >= 0


def container_file(noise: bytes) -> None:
    headers, _, head = noise.partition(b"\n\n")
    named = {"content-type": _latin(headers), "docker-content-digest": _latin(headers)}
    _CONTAINER.examine(_MANIFEST, named, head[:4096])


def container_tags(noise: bytes) -> None:
    with suppress(IntegrityError):
        found = tags.parse(noise)
        whole = tags.combine("a", [found])
        assert set(tags.parse(whole)) == set(found)


def container_merge(noise: bytes) -> None:
    documents = [(f"up{number}", part) for number, part in enumerate(noise.split(b"\xff"))]
    with suppress(IntegrityError):
        merged, _ = merging.merge(_TAGS, documents)
        tags.parse(merged)


def container_referrers(noise: bytes) -> None:
    with suppress(IntegrityError):
        found = referrers.parse(noise)
        assert referrers.parse(referrers.combine([found, found])) == referrers.parse(
            referrers.combine([found])
        )


def container_page(noise: bytes) -> None:
    with suppress(InvalidRequest):
        query = parse_query(_latin(noise))
        view = catalog.view("/v2/_catalog", query, catalog.document(["a", "b/c", "d"]))
        for name, value in view.headers:
            assert name.isascii()
            assert value.isprintable()


def link(noise: bytes) -> None:
    with suppress(IntegrityError):
        next_query(_latin(noise))


def challenge(noise: bytes) -> None:
    found = parse_challenges(_latin(noise))
    assert parse_challenges(", ".join(map(str, found))) == found


def byte_range(noise: bytes) -> None:
    for start, stop in select_ranges(_latin(noise), _SIZE) or ():
        assert 0 <= start < stop <= _SIZE


def entity_tags(noise: bytes) -> None:
    for tag in parse_tags(_latin(noise)):
        assert parse_tags(tag) == (tag,)


def http_date(noise: bytes) -> None:
    parse_http_date(_latin(noise))


def digest_claims(noise: bytes) -> None:
    text = _latin(noise)
    claims = [*etag_claims(text).items(), *header_claims({"x-checksum-sha1": text}).items()]
    claims += [
        (algorithm, found)
        for algorithm in Algorithm
        if (found := parse_sidecar(noise, algorithm)) is not None
    ]
    for algorithm, digest in claims:
        assert len(digest) == algorithm.hex_length
        assert digest == digest.lower()
        int(digest, 16)


def web_url(noise: bytes) -> None:
    with suppress(ValueError):
        url = check_url(noise.decode("utf-8", "replace"))
        assert check_url(url.text) == url
        assert url.text.isascii()
        assert url.text.isprintable()
        assert " " not in url.text


def address(noise: bytes) -> None:
    text = _latin(noise)
    _POLICY.refuses(text)
    _POLICY.refuses_host(text)
    _PROXIES.of({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": text})


def host(noise: bytes) -> None:
    with suppress(InvalidRequest, WrongHost):
        _HOSTS.check({"HTTP_HOST": _latin(noise)})


def token_scopes(noise: bytes) -> None:
    with suppress(InvalidRequest):
        found = parse_scopes(_latin(noise))
        assert parse_scopes(" ".join(map(str, found))) == found


def credentials(noise: bytes) -> None:
    with suppress(Unauthenticated):
        credential = presented(Credentials(_latin(noise), {"QUERY_STRING": _latin(noise)}))
        if credential is not None:
            look_into(credential)


def token_answer(noise: bytes) -> None:
    found = read_token(noise, 0.0)
    if not isinstance(found, str):
        assert 0 <= found.good_until < float("inf")


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = MappingProxyType(
    {
        target.__name__: target
        for target in (
            maven_path,
            maven_metadata,
            maven_merge,
            maven_prefixes,
            maven_version,
            maven_file,
            container_path,
            container_manifest,
            container_file,
            container_tags,
            container_merge,
            container_referrers,
            container_page,
            link,
            challenge,
            byte_range,
            entity_tags,
            http_date,
            digest_claims,
            web_url,
            address,
            host,
            token_scopes,
            credentials,
            token_answer,
            deciding.wildcard,
            deciding.regex,
            deciding.rules,
            deciding.maven_coordinates,
            deciding.container_coordinates,
            deciding.maven_sift,
            deciding.container_sift,
            reaching.folder_path,
            reaching.configuration,
            reaching.entry_name,
            reaching.upstream_url,
            reaching.url_path,
            reaching.forwarded,
            reaching.host_name,
            reaching.unmodified_since,
            managing.management,
            managing.body_schema,
            managing.unmodified,
        )
    }
)
