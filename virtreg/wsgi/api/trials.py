"""Trying an upstream out, before it is there and after."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from typing import Final

from attrs import evolve, frozen
from msgspec import UNSET

from virtreg.backends.folder import FolderSource
from virtreg.errors import EgressRefused, Invalid, UpstreamDenied, VirtregError
from virtreg.managed import ManagedUpstream
from virtreg.model import Fetch, Secret, UpstreamSpec
from virtreg.wsgi.api.endpoint import Answer, Call, Endpoint
from virtreg.wsgi.api.flavour import CONTAINER, FLAVOURS, Flavour
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.api.sent import Login, TrialChange, TrialNew
from virtreg.wsgi.api.shown import Trial
from virtreg.wsgi.api.urls import normalised

_NAME: Final = "tested"
"""Of an upstream that has none yet."""
_SECONDS: Final = 5.0
_SECONDS_IN_ALL: Final = 15.0
_NOT_PUBLIC: Final = "the URL, or where it redirects to, is not on the public internet"
_STATUS: Final = re.compile(r"([1-5][0-9]{2}) (.+)")
_SOME_PATH: Final = "com/company/app/maven-metadata.xml"
_IMAGES: Final = Fetch("v2/", scope="")
"""What says that a registry is there (OCI distribution-spec 1.1.1, end-1). A token for nothing in
particular proves the login."""


def endpoints(parts: Parts) -> list[Endpoint]:
    return [endpoint for flavour in FLAVOURS for endpoint in _Trials(parts, flavour).offer()]


@frozen(eq=False)
class _Trials:
    """Of one format."""

    parts: Parts
    flavour: Flavour

    def offer(self) -> Iterator[Endpoint]:
        one = f"{self.flavour.root}/upstreams/{{id}}/test"
        title = f"{self.flavour.title} upstream"
        yield Endpoint(
            "POST",
            f"{self.flavour.group}/upstreams/test",
            f"Test a {title} that is not there yet",
            self.new,
            body=TrialNew,
            gives=Trial,
            action="configure",
        )
        yield Endpoint("GET", one, f"Test a {title}", self.saved, gives=Trial)
        yield Endpoint(
            "POST",
            one,
            f"Test a {title} as it would be after a change",
            self.changed,
            body=TrialChange,
            gives=Trial,
            action="configure",
            documented=False,
        )

    def new(self, call: Call) -> Answer:
        sent = call.sent(TrialNew)
        call.allow("configure", self.parts.group(call))
        # Not before: what is not allowed tells how the server is set up.
        url = normalised(sent.url, self.flavour, self.parts.egress)
        return self._tried(_with_login(UpstreamSpec(_NAME, url), _login(sent)), _SOME_PATH)

    def saved(self, call: Call) -> Answer:
        upstream, _ = call.allow("read", self.parts.upstream_of(call, self.flavour))
        return self._tried(upstream.spec, self._path(upstream))

    def changed(self, call: Call) -> Answer:
        sent = call.sent(TrialChange)
        upstream, _ = call.allow("configure", self.parts.upstream_of(call, self.flavour))
        url = (
            upstream.spec.url
            if sent.url is UNSET
            else normalised(sent.url, self.flavour, self.parts.egress)
        )
        return self._tried(_as_changed(upstream.spec, url, sent), self._path(upstream))

    def _path(self, upstream: ManagedUpstream) -> str:
        """One that it is known to have, if there is one."""
        cached = self.parts.index.page(upstream.spec.key, limit=1)
        return cached[0].path if cached else _SOME_PATH

    def _tried(self, spec: UpstreamSpec, path: str) -> Answer:
        if spec.local:
            return self._looked_at(spec)
        images = self.flavour is CONTAINER
        asked = _IMAGES if images else Fetch(path, method="HEAD")
        try:
            status = self._ask(spec, asked)
        except UpstreamDenied:
            # There are tokens, and none for nothing in particular.
            return Answer(Trial(success=True))
        except EgressRefused:
            # Not its own words: they tell which address the name has inside.
            return _failed(_NOT_PUBLIC)
        except VirtregError as error:
            return _failed(error.message.removeprefix(f"upstream {spec.name!r}: "))
        if images and status != HTTPStatus.OK:
            return _failed(f"{status} {HTTPStatus(status).phrase}")
        return Answer(Trial(success=True))

    def _looked_at(self, spec: UpstreamSpec) -> Answer:
        """One that is on this server."""
        if spec.folder is not None:
            try:
                FolderSource(spec).check()
            except VirtregError as error:
                return _failed(error.message)
        elif self.parts.registry_named(spec.registry or "") is None:
            return _failed("its registry is not there")
        return Answer(Trial(success=True))

    def _ask(self, spec: UpstreamSpec, asked: Fetch) -> int:
        hasty = evolve(
            spec,
            connect_timeout=min(spec.connect_timeout, _SECONDS),
            read_timeout=min(spec.read_timeout, _SECONDS),
            total_timeout=_SECONDS_IN_ALL,
        )
        with (
            closing(self.parts.open_upstream(hasty)) as upstream,
            closing(upstream.fetch(asked)) as reply,
        ):
            return reply.status


def _as_changed(saved: UpstreamSpec, url: str, sent: TrialChange) -> UpstreamSpec:
    """What was meant for one URL, credentials and ways inside alike, is not used for another."""
    if url != saved.url:
        return _with_login(UpstreamSpec(saved.name, url), _login(sent))
    if sent.username is UNSET and sent.password is UNSET:
        return saved
    if sent.username == saved.username and not sent.password:
        return saved
    anonymous = evolve(saved, bearer=None, headers=(), credential_command=(), login_provided=False)
    return _with_login(anonymous, _login(sent))


def _with_login(spec: UpstreamSpec, login: tuple[str, Secret] | None) -> UpstreamSpec:
    username, password = login or (None, None)
    return evolve(spec, username=username, password=password)


def _login(sent: Login) -> tuple[str, Secret] | None:
    """Raises Invalid for half of one."""
    username, password = sent.username or None, sent.password or None
    if isinstance(username, str) and isinstance(password, str):
        return username, Secret(password)
    if isinstance(username, str):
        raise Invalid({"password": ["can't be blank"]})
    if isinstance(password, str):
        raise Invalid({"username": ["can't be blank"]})
    return None


def _failed(reason: str) -> Answer:
    told = _STATUS.fullmatch(reason)
    result = reason if told is None else f"{told[1]} - {told[2]}"
    return Answer(Trial(success=False, result=f"Error: {result}"))
