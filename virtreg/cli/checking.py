"""Asks every upstream of a configuration for one small file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

from attrs import frozen

from virtreg.config import Config
from virtreg.errors import EgressRefused, UpstreamError, UpstreamRefused
from virtreg.model import Fetch, UpstreamSpec
from virtreg.protocols import Upstream

OpenUpstream = Callable[[UpstreamSpec], Upstream]

_PROBES = {"maven": "com/company/app/maven-metadata.xml"}
"""A path of each format that is well-formed and that few upstreams have: absent is an answer."""


@frozen
class Finding:
    """What one upstream answered."""

    verdict: str
    """Names the upstream."""
    broken: bool = False

    def __str__(self) -> str:
        return f"{'problem' if self.broken else 'ok'}: {self.verdict}"


def findings(config: Config, open_upstream: OpenUpstream) -> Iterator[Finding]:
    """One finding per upstream that a registry uses, in the order of first use."""
    paths = {
        upstream: _PROBES[registry.format]
        for registry in reversed(config.registries)
        for upstream in reversed(registry.upstreams)
    }
    for spec in reversed(paths):
        yield _ask(spec, paths[spec], open_upstream)


def _ask(spec: UpstreamSpec, path: str, open_upstream: OpenUpstream) -> Finding:
    with closing(open_upstream(spec)) as upstream:
        try:
            with closing(upstream.fetch(Fetch(path, method="HEAD"))) as reply:
                return Finding(f"upstream {spec.name!r}: answered {reply.status}")
        except UpstreamRefused as error:
            # The operator said that this upstream refuses what it does not have.
            expected = spec.on_refused == "absent" and not isinstance(error, EgressRefused)
            return Finding(error.message, broken=not expected)
        except UpstreamError as error:
            return Finding(error.message, broken=True)
