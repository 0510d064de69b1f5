"""Virtual registries behind a login that is there already.

    python examples/custom_authenticator.py flask    # the session of a Flask application
    python examples/custom_authenticator.py header   # a header of a gateway
    python examples/custom_authenticator.py ldap     # the passwords of a directory server
    python examples/custom_authenticator.py oidc     # tokens of an identity provider, or of CI

Each is an authenticator for ``virtreg.build``. The environment says what they need (see the
functions), the configuration (VIRTREG_CONFIG) and a port (PORT).
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from hmac import compare_digest
from pathlib import Path
from wsgiref.types import WSGIApplication

from flask import Flask, Request, request, session
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import run_simple

from virtreg import build, load
from virtreg.backends.auth.chain import chain
from virtreg.backends.auth.header import TrustedHeader
from virtreg.backends.auth.oidc import JwksAuthenticator
from virtreg.backends.auth.passwords import PasswordAuthenticator
from virtreg.backends.auth.unavailable import SignInUnavailable
from virtreg.errors import Unauthenticated
from virtreg.model import Credentials, Principal, Scope
from virtreg.protocols import Authenticator

PRIVATE = tuple(os.environ.get("VIRTREG_ALLOW_PRIVATE", "").split())


class FlaskSession:
    """Admits whoever signed in to a Flask application, by the cookie of its session."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:  # noqa: ARG002
        asked = Request(dict(credentials.environ))
        found = self._app.session_interface.open_session(self._app, asked)
        user = found.get("user") if found else None
        if not isinstance(user, str):
            raise Unauthenticated("sign in first")
        return Principal(user)


def flask_session(app: Flask) -> Authenticator:
    """People by their session; programs, which have none, by the same passwords."""
    return chain(FlaskSession(app), PasswordAuthenticator(check))


def header() -> Authenticator:
    """SSO_PROXIES are the addresses of the gateway that sets X-Remote-User."""
    return TrustedHeader("X-Remote-User", os.environ["SSO_PROXIES"].split())


def ldap() -> Authenticator:
    """LDAP_URL, such as ldaps://ldap.example.org, and LDAP_USER, the name of a user's entry, such
    as uid={},ou=people,dc=example,dc=org. LDAP_CA_FILE if it is not of a public authority."""
    import ssl

    from ldap3 import Connection, Server, Tls
    from ldap3.core.exceptions import LDAPException
    from ldap3.utils.dn import escape_rdn

    tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=os.environ.get("LDAP_CA_FILE"))
    server = Server(os.environ["LDAP_URL"], tls=tls, get_info="NO_INFO", connect_timeout=5)

    def bind(name: str, password: str) -> str | None:
        if re.fullmatch(r"[a-z0-9._-]+", name) is None:
            return None  # the server takes Ann for ann, and would give one person several names
        entry = os.environ["LDAP_USER"].format(escape_rdn(name))
        connection = Connection(server, entry, password, receive_timeout=5)
        try:
            if connection.bind():
                return name
            if connection.result["description"] == "invalidCredentials":
                return None
        except LDAPException:
            pass  # told as what else keeps the server from saying yes or no
        finally:
            with suppress(LDAPException):
                connection.unbind()
        raise SignInUnavailable("the directory server cannot be asked", retry_after=5)

    return PasswordAuthenticator(bind)


def oidc() -> Authenticator:
    """OIDC_ISSUER, such as https://id.example.org, signs tokens for OIDC_AUDIENCE."""
    return JwksAuthenticator(
        os.environ["OIDC_ISSUER"], os.environ["OIDC_AUDIENCE"], allow_private=PRIVATE
    )


site = Flask(__name__)
site.secret_key = os.environ.get("FLASK_SECRET_KEY") or os.urandom(32)


@site.post("/login")
def login() -> tuple[str, int]:
    user = check(request.form["user"], request.form["password"])
    if user is None:
        return "no", 403
    session["user"] = user
    return f"hello {user}", 200


def check(user: str, password: str) -> str | None:
    """Where a real site looks its users up."""
    known = {"ann": "correct horse"}.get(user)
    right = known is not None and compare_digest(known.encode(), password.encode())
    return user if right else None


def main(kind: str) -> None:
    choices = {"flask": lambda: flask_session(site), "header": header, "ldap": ldap, "oidc": oidc}
    config = load(Path(os.environ.get("VIRTREG_CONFIG", "examples/server.toml")), os.environ)
    with build(config, authenticator=choices[kind]()) as assembly:
        # Registries at the root, where clients of images look for them; the site beside.
        app: WSGIApplication = DispatcherMiddleware(assembly.app, {"/site": site.wsgi_app})
        run_simple("127.0.0.1", int(os.environ.get("PORT", "8081")), app, threaded=True)


if __name__ == "__main__":
    main(sys.argv[1])
