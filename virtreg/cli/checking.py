"""Asks every upstream of a configuration for something small, and the store to keep something."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

from attrs import frozen

from virtreg.backends.folder import FolderSource
from virtreg.config import Config
from virtreg.core.layout import blob_key
from virtreg.errors import (
    EgressRefused,
    Missing,
    StorageError,
    UpstreamDenied,
    UpstreamError,
    UpstreamRefused,
)
from virtreg.model import Fetch, UpstreamSpec
from virtreg.protocols import CacheStore, Reply, Upstream

OpenUpstream = Callable[[UpstreamSpec], Upstream]

_PROBES = {
    # A path that is well-formed and that few upstreams have: absent is an answer.
    "maven": Fetch("com/company/app/maven-metadata.xml", method="HEAD"),
    # What says that a registry is there (OCI distribution-spec 1.1.1, end-1). A token for nothing
    # in particular proves the login, as `docker login` does.
    "container": Fetch("v2/", scope=""),
}


@frozen
class Finding:
    """What one upstream, or the store, answered."""

    verdict: str
    """Names whom."""
    broken: bool = False

    def __str__(self) -> str:
        return f"{'problem' if self.broken else 'ok'}: {self.verdict}"


def kept(place: str, store: CacheStore) -> Finding:
    """Whether a store takes a blob, gives it back and forgets it."""
    content = os.urandom(32)
    key = blob_key(hashlib.sha256(content).hexdigest())
    try:
        store.put(key, content)
        with store.open(key) as body:
            for _ in body.read():
                pass
        store.delete(key)
        with suppress(Missing):
            # A bucket that may not be listed refuses what is not there, too.
            store.open(key).close()
    except (Missing, StorageError) as error:
        return Finding(f"files at {place}: {error.message}", broken=True)
    return Finding(f"files at {place}: written, read and deleted")


def findings(config: Config, open_upstream: OpenUpstream) -> Iterator[Finding]:
    """One finding per upstream that a registry uses, in the order of first use."""
    formats = {
        upstream: registry.format
        for registry in reversed(config.registries)
        for upstream in reversed(registry.upstreams)
    }
    for spec in reversed(formats):
        yield _ask(spec, formats[spec], open_upstream)


def _ask(spec: UpstreamSpec, spoken: str, open_upstream: OpenUpstream) -> Finding:
    if spec.registry is not None:
        return Finding(f"upstream {spec.name!r}: registry {spec.registry!r} of this server")
    if spec.folder is not None:
        return _looked_at(FolderSource(spec))
    images = spoken == "container"
    with closing(open_upstream(spec)) as upstream:
        try:
            with closing(upstream.fetch(_PROBES[spoken])) as reply:
                return _registry(spec, reply) if images else _answered(spec, reply)
        except UpstreamDenied:
            # It may be nobody's business whether there is something; that there are tokens is
            # enough to know that a registry is there, and what it thinks of the login.
            return Finding(f"upstream {spec.name!r}: a registry that wants tokens, and gives them")
        except EgressRefused as error:
            return Finding(error.message, broken=True)
        except UpstreamRefused as error:
            wants = "it wants a login" if spec.anonymous else "it refuses the login"
            verdict = f"{error.message}; {wants}" if images else error.message
            # The operator said that this upstream refuses what it does not have.
            return Finding(verdict, broken=spec.on_refused != "absent")
        except UpstreamError as error:
            return Finding(error.message, broken=True)


def _looked_at(folder: FolderSource) -> Finding:
    try:
        folder.check()
    except UpstreamError as error:
        return Finding(error.message, broken=True)
    return Finding(f"upstream {folder.spec.name!r}: a folder that can be read")


def _answered(spec: UpstreamSpec, reply: Reply) -> Finding:
    return Finding(f"upstream {spec.name!r}: answered {reply.status}")


def _registry(spec: UpstreamSpec, reply: Reply) -> Finding:
    where = f"{spec.url}/v2/"
    if reply.status != 200:
        verdict = f"answered {reply.status} to {where}; no registry is there"
        return Finding(f"upstream {spec.name!r}: {verdict}", broken=True)
    page = reply.headers.get("content-type", "").lower().startswith("text/html")
    if page and "docker-distribution-api-version" not in reply.headers:
        verdict = f"answered {where} with a web page; no registry is there"
        return Finding(f"upstream {spec.name!r}: {verdict}", broken=True)
    return Finding(f"upstream {spec.name!r}: a registry")
