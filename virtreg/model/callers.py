"""Who asks, and what for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

Action = Literal["pull", "read", "configure", "clean_up", "switch"]
"""``pull`` files; ``read`` and ``configure`` registries, upstreams and their cache; ``clean_up``:
policies; ``switch`` a group's registries on and off."""


@frozen
class Scope:
    """What a caller wants to do."""

    registry: str
    path: str
    """As the caller spells it. One file may have several spellings, such as an image with and
    without its upstream's default namespace, and a list such as ``_catalog`` names what lies under
    other paths: a rule by path says what is allowed, never what is not."""
    action: Action = "pull"
    repository: str = ""
    """The part of the registry that a grant may be given for, such as one image; empty: all."""
    group: str = ""
    """Whose registry it is."""
    public: bool = False
    """Whether strangers may pull from it."""


@frozen
class Credentials:
    """What a caller presented. ``environ`` is the WSGI environment, for hosts that keep a session
    or a trusted header there; empty outside WSGI."""

    authorization: str | None = field(default=None, repr=False)
    environ: Mapping[str, Any] = field(factory=dict, repr=False)


@frozen
class Principal:
    """Who a caller turned out to be; ``anonymous`` when nobody asked."""

    name: str = "anonymous"
    token_id: str | None = None
    """Of the token that was presented, if one was: for logs, limits and revocation."""
