"""Who decides, for one process, who may pull what."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Final

from attrs import frozen

from virtreg.backends.auth.anonymous import Anonymous
from virtreg.backends.auth.grants import GrantAuthenticator, Grants, KeyFolder, Keys, KeyShelf
from virtreg.backends.auth.tokens import TokenAuthenticator
from virtreg.backends.signing import open_sealed_keys
from virtreg.backends.sql.server import DatabaseServer
from virtreg.backends.vault import MasterKeys
from virtreg.config import Config
from virtreg.errors import Unauthenticated
from virtreg.events import AuditEvent
from virtreg.guards import Guards, open_guards
from virtreg.model import Credentials
from virtreg.protocols import Announces, Authenticator, Directory
from virtreg.wsgi.bearer import TokenService
from virtreg.wsgi.passes import Passes

KEYS: Final = "keys"
"""The folder of signing keys in the data folder."""


@frozen(eq=False)
class Access:
    """``close`` once, after the last request."""

    authenticator: Authenticator
    tokens: TokenService | None
    """None where nobody must sign in."""
    guards: Guards
    passes: Passes | None
    """None where a host decides: nobody knows by what."""
    _opened: ExitStack

    def close(self) -> None:
        """Write when tokens were last used. A host's own authenticator is the host's to close."""
        self._opened.close()


def open_access(
    config: Config,
    authenticator: Authenticator | None,
    directory: Directory,
    clock: Callable[[], float],
    notify: Callable[[AuditEvent], None],
    keys: Callable[[], AbstractContextManager[KeyShelf]],
    *,
    listening: bool = False,
) -> Access:
    """``authenticator`` is a host's own; without one, the configuration says whether those in
    ``directory`` may, or everybody. ``keys`` opens those to sign with, where somebody must sign in.
    ``listening`` as for :func:`virtreg.guards.open_guards`. Raises ConfigError and
    StorageError."""
    with ExitStack() as opened:
        decides = authenticator or _configured(config, directory, clock, notify, opened)
        # Exactly: a kind of Anonymous may well refuse somebody.
        restricted = type(decides) is not Anonymous
        guards = open_guards(config, restricted=restricted, listening=listening)
        if not restricted:
            return Access(guards.guard(decides), None, guards, None, opened.pop_all())
        # Even where there are no registries of images: one may be made at any time.
        signing = Keys(opened.enter_context(keys()), clock)
        tokens = _token_service(config, decides, guards, signing, clock)
        guarded = guards.guard(tokens.authenticator, partial(_shows_grant, tokens))
        passes = _passes(decides, directory, clock) if authenticator is None else None
        return Access(guarded, tokens, guards, passes, opened.pop_all())


def open_signing_keys(
    place: Path | DatabaseServer, keys: MasterKeys
) -> AbstractContextManager[KeyShelf]:
    """Those of a data folder; or of a database, where ``keys`` seal them. Raises ConfigError and
    StorageError."""
    if isinstance(place, Path):
        return nullcontext(KeyFolder(place / KEYS))
    return closing(open_sealed_keys(place, keys))


def _configured(
    config: Config,
    directory: Directory,
    clock: Callable[[], float],
    notify: Callable[[AuditEvent], None],
    opened: ExitStack,
) -> Authenticator:
    if not config.access.enabled:
        return Anonymous()
    tokens = TokenAuthenticator(directory, clock, notify)
    opened.callback(tokens.close)
    return tokens


def _passes(
    decides: Authenticator, directory: Directory, clock: Callable[[], float]
) -> Passes | None:
    if not isinstance(decides, TokenAuthenticator) or not isinstance(directory, Announces):
        return None
    passes = Passes(clock)
    # After the authenticator's own: what is asked then is answered by what is true now.
    directory.on_change(passes.clear)
    return passes


def _token_service(
    config: Config,
    decides: Authenticator,
    guards: Guards,
    keys: Keys,
    clock: Callable[[], float],
) -> TokenService:
    access = config.access
    grants = Grants(keys, access.service, clock, access.grant_seconds)
    return TokenService(
        grants,
        GrantAuthenticator(decides, grants),
        guards.guard(decides),
        access.service,
        access.token_path,
        config.server.external_url,
    )


def _shows_grant(tokens: TokenService, credentials: Credentials) -> bool:
    """Whether a grant decides, good or not: then no login is tried, and none can be guessed."""
    try:
        return tokens.authenticator.granted(credentials) is not None
    except Unauthenticated:
        return True
