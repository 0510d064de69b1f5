"""The path grammar: from the text below a registry's URL to a :class:`Route`.

The layout is the "Maven 2" repository layout; anything a repository may hold is routed, whether
or not its name fits ``artifact-version``, because build tools publish such extras. What decides
here is only what a path can *mean*: fixed bytes, bytes that may change, or a merged document.
"""

from __future__ import annotations

import re

from attrs import evolve

from virtreg.errors import InvalidRequest, NotFound
from virtreg.model import Algorithm, Freshness, Route

METADATA = "maven-metadata.xml"
CATALOG = "archetype-catalog.xml"
PREFIXES = ".meta/prefixes.txt"
"""Which groups a repository can hold (Maven Resolver, "Remote repository filtering")."""

MAX_PATH_BYTES = 1024
_RESERVED = (".meta", ".index", ".nexus")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SNAPSHOT = "SNAPSHOT"
_DEPLOYED = re.compile(r"[0-9]{8}\.[0-9]{6}-[0-9]+[-.]")
_SUFFIXES = {f".{algorithm}": algorithm for algorithm in Algorithm}


def parse(path: str) -> Route:
    """The route of a decoded path without a leading slash.

    Raises InvalidRequest, naming the reason, for text that is no path, and NotFound for what is
    never served: directories, checksums of checksums, and a repository's private folders.
    """
    _check(path)
    if path.endswith("/"):
        raise NotFound(f"{path!r} is a directory; directories are not listed")
    base, algorithm = _without_checksum(path)
    if algorithm is None:
        return _classify(path)
    if _without_checksum(base)[1] is not None:
        raise NotFound(f"{path!r} is the checksum of a checksum; there is none")
    if base.rpartition("/")[2] in ("", ".", ".."):
        raise NotFound(f"{path!r} is the checksum of a file without a name")
    return evolve(_classify(base), checksum=algorithm)


def _check(path: str) -> None:
    if path == "":
        raise NotFound("this is the registry itself; directories are not listed")
    try:
        size = len(path.encode())
    except UnicodeEncodeError as error:
        raise InvalidRequest("the path is not Unicode text") from error
    if size > MAX_PATH_BYTES:
        raise InvalidRequest(f"the path has {size} bytes; at most {MAX_PATH_BYTES} are allowed")
    control = _CONTROL.search(path)
    if control is not None:
        raise InvalidRequest(f"the path has the control character U+{ord(control[0]):04X}")
    if "\\" in path:
        raise InvalidRequest("the path has a backslash")
    if "%" in path:
        # The server decoded the URL once. What is left would be decoded again by somebody else.
        raise InvalidRequest("the path has a percent sign: it is escaped twice")
    for segment in path.removesuffix("/").split("/"):
        if segment == "":
            raise InvalidRequest("the path has an empty segment")
        if segment in (".", ".."):
            raise InvalidRequest(f"the path has the segment {segment!r}")


def _without_checksum(path: str) -> tuple[str, Algorithm | None]:
    for suffix, algorithm in _SUFFIXES.items():
        if path.endswith(suffix):
            return path.removesuffix(suffix), algorithm
    return path, None


def _classify(path: str) -> Route:
    if path == PREFIXES:
        return Route(path, Freshness.METADATA, merged=True)
    *folders, name = path.split("/")
    if (folders or [name])[0] in _RESERVED:
        raise NotFound(f"{path!r} is private to one repository and never proxied")
    if name == METADATA:
        return Route(path, Freshness.METADATA, merged=True)
    if name == CATALOG:
        return Route(path, Freshness.METADATA)
    return Route(path, _snapshot_freshness(folders, name))


def _snapshot_freshness(folders: list[str], name: str) -> Freshness:
    """A snapshot deployed with a timestamp is fixed; one named ``-SNAPSHOT`` is replaced by each
    build. Both only below their own artifact and version folders."""
    if len(folders) < 2:
        return Freshness.ARTIFACT
    artifact, version = folders[-2:]
    if version != _SNAPSHOT and not version.endswith(f"-{_SNAPSHOT}"):
        return Freshness.ARTIFACT
    stem = f"{artifact}-{version.removesuffix(_SNAPSHOT)}"
    if not name.startswith(stem):
        return Freshness.ARTIFACT
    rest = name.removeprefix(stem)
    if _DEPLOYED.match(rest):
        return Freshness.IMMUTABLE
    if rest.startswith((f"{_SNAPSHOT}.", f"{_SNAPSHOT}-")):
        return Freshness.METADATA
    return Freshness.ARTIFACT
