"""The values that travel: frozen, parsed once at the edge, safe to share between threads.

Units: sizes in bytes, times as seconds since the epoch (float), durations in seconds unless the
name says hours. Digests are lower-case hex without an algorithm prefix unless stated.
"""

from __future__ import annotations

from virtreg.model.answers import Problem, Representation, View
from virtreg.model.callers import Action, Credentials, Principal, Scope
from virtreg.model.digests import Algorithm, Digests
from virtreg.model.entries import Entry
from virtreg.model.exchanges import (
    Answered,
    AnswerOutcome,
    Examination,
    Expectation,
    Fetch,
    Headers,
    Query,
    Quota,
    Validators,
)
from virtreg.model.routes import Coordinates, Freshness, Route
from virtreg.model.rules import Ownership, Rule
from virtreg.model.secrets import Login, Secret
from virtreg.model.specs import RegistrySpec, UpstreamSpec

__all__ = [
    "Action",
    "Algorithm",
    "AnswerOutcome",
    "Answered",
    "Coordinates",
    "Credentials",
    "Digests",
    "Entry",
    "Examination",
    "Expectation",
    "Fetch",
    "Freshness",
    "Headers",
    "Login",
    "Ownership",
    "Principal",
    "Problem",
    "Query",
    "Quota",
    "RegistrySpec",
    "Representation",
    "Route",
    "Rule",
    "Scope",
    "Secret",
    "UpstreamSpec",
    "Validators",
    "View",
]
