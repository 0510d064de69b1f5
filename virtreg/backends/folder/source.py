"""A folder of this machine as an upstream: no index, the file at the path is what there is."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from threading import Lock
from typing import Final

from attrs import frozen

from virtreg.backends.folder.opening import open_below
from virtreg.backends.store.opened import OpenBody
from virtreg.core.httpdate import print_http_date
from virtreg.errors import ConfigError, StorageError, UpstreamUnavailable
from virtreg.model import Algorithm, Digests, Representation, Route, UpstreamSpec
from virtreg.protocols import Body

_REMEMBERED: Final = 20_000
"""Files whose digests are."""

_Identity = tuple[int, int, int, int, int]


@frozen
class Found:
    """The protocol ``Resolution``."""

    route: Route
    source: str
    representation: Representation
    body: Body
    origin: str = "hit"
    expires_at: float = 0.0
    warning: str = ""


class FolderSource:
    """The protocol ``LocalSource``. Thread-safe.

    Only regular files are served, and no link below the folder is followed. Files are digested
    when they are first asked for, and again after they have changed; a file is to be replaced by
    renaming another one, since bytes that change under a reader are nobody's file.
    """

    def __init__(self, spec: UpstreamSpec) -> None:
        """Raises ConfigError when the spec has no folder."""
        if spec.folder is None:
            raise ConfigError(f"upstream {spec.name!r}: has no folder")
        self.spec = spec
        self._root = spec.folder
        self._lock = Lock()
        self._digests: OrderedDict[_Identity, Digests] = OrderedDict()

    def resolve(self, route: Route) -> Found:
        try:
            descriptor, status = open_below(self._root, route.path)
        except OSError as error:
            raise self._broken(f"cannot be read: {error.strerror}") from error
        body = OpenBody(descriptor, status.st_size, f"{route.path} of {self.spec.name}")
        try:
            digests = self._digested(_identity(status), body, descriptor)
        except BaseException:
            body.close()
            raise
        modified = print_http_date(status.st_mtime)
        facts = Representation(status.st_size, digests, last_modified=modified)
        return Found(route, self.spec.key, facts, body)

    def describe(self, route: Route) -> Found:
        return self.resolve(route)

    def check(self) -> None:
        """Raises UpstreamUnavailable when the folder is not there or cannot be read."""
        try:
            with os.scandir(self._root):
                pass
        except OSError as error:
            raise self._broken(f"cannot be read: {error.strerror}") from error

    def close(self) -> None:
        """Nothing is held."""

    def _digested(self, identity: _Identity, body: Body, descriptor: int) -> Digests:
        """Raises UpstreamUnavailable while the file is being written."""
        known = self._digests.get(identity)
        if known is not None:
            return known
        running = {
            algorithm: hashlib.new(algorithm.value, usedforsecurity=False)
            for algorithm in Algorithm
        }
        try:
            for piece in body.read():
                for each in running.values():
                    each.update(piece)
        except StorageError as error:
            raise self._broken(error.message) from error
        if _identity(os.fstat(descriptor)) != identity:
            raise self._broken("the file is being written")
        digests = {algorithm: each.hexdigest() for algorithm, each in running.items()}
        with self._lock:
            self._digests[identity] = digests
            while len(self._digests) > _REMEMBERED:
                self._digests.popitem(last=False)
        return digests

    def _broken(self, reason: str) -> UpstreamUnavailable:
        # Not where the folder is: those who pull need not know.
        return UpstreamUnavailable(
            f"{self.spec.name}: its folder: {reason}", upstream=self.spec.name
        )


def _identity(status: os.stat_result) -> _Identity:
    """What changes with the bytes; the time of the last change of the inode, which cannot be set,
    among it."""
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
