"""The protocols third parties implement. Each docstring is the contract; the suites in
:mod:`virtreg.testing` check it.

Unless a docstring says otherwise every object here is used from many threads at once, and an
implementation may raise only errors of :mod:`virtreg.errors`; anything else is a bug in it and is
wrapped at the boundary. Optional powers are separate protocols, found with ``isinstance``.
"""

from __future__ import annotations

from virtreg.model import Digests, Headers
from virtreg.protocols.access import Announces, Authenticator, Directory, Readmits, Recalls
from virtreg.protocols.catalogs import Catalog, Policies
from virtreg.protocols.formats import Format, Gathers, Lists, Localizes, Pins, Situates, Views
from virtreg.protocols.indexes import (
    Change,
    CountsDownloads,
    EntryIndex,
    Evicts,
    Inventory,
    Journals,
    KnowsDigests,
    KnowsReferences,
    KnowsUse,
    ListsByDigest,
)
from virtreg.protocols.registries import Bypasses, Describes, Resolution, VirtualRegistry
from virtreg.protocols.stores import (
    Body,
    CacheStore,
    Defers,
    HasFile,
    Notes,
    OpensKnown,
    Presigns,
    Reclaims,
    Spools,
    TellsHealth,
)
from virtreg.protocols.upstreams import CredentialProvider, LocalSource, Reply, Upstream

__all__ = [
    "Announces",
    "Authenticator",
    "Body",
    "Bypasses",
    "CacheStore",
    "Catalog",
    "Change",
    "CountsDownloads",
    "CredentialProvider",
    "Defers",
    "Describes",
    "Digests",
    "Directory",
    "EntryIndex",
    "Evicts",
    "Format",
    "Gathers",
    "HasFile",
    "Headers",
    "Inventory",
    "Journals",
    "KnowsDigests",
    "KnowsReferences",
    "KnowsUse",
    "Lists",
    "ListsByDigest",
    "LocalSource",
    "Localizes",
    "Notes",
    "OpensKnown",
    "Pins",
    "Policies",
    "Presigns",
    "Readmits",
    "Recalls",
    "Reclaims",
    "Reply",
    "Resolution",
    "Situates",
    "Spools",
    "TellsHealth",
    "Upstream",
    "Views",
    "VirtualRegistry",
]
