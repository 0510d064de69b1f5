"""A token server as registries have beside them (distribution, token authentication
specification), with a key it makes itself."""

from __future__ import annotations

import base64
import datetime
import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

_ISSUER = "tests"
_SERVICE = "registry of the tests"
_SECONDS = 300


@frozen
class Asked:
    """One request for a token. ``account`` is who logged in, None for nobody."""

    account: str | None
    scopes: tuple[str, ...]
    status: int


@frozen
class Tokens:
    """Tokens to pull: everything for the ``logins`` (name to password), for everybody what begins
    with ``public``. Wrong passwords get 401."""

    folder: Path
    logins: Mapping[str, str]
    public: str = "library/"
    seen: list[Asked] = field(factory=list, init=False)
    """Every request, oldest first."""
    _key: rsa.RSAPrivateKey = field(init=False)
    _certificate: bytes = field(init=False)
    _server: ThreadingHTTPServer = field(init=False)

    @_key.default
    def _generated(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(65537, 2048)

    @_certificate.default
    def _self_signed(self) -> bytes:
        return _certificate(self._key)

    @_server.default
    def _bound(self) -> ThreadingHTTPServer:
        tokens = self

        class Endpoint(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                tokens._answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        return ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)

    @property
    def realm(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/token"

    @property
    def auth(self) -> dict[str, dict[str, str]]:
        """The ``auth`` section of a registry's configuration that wants these tokens."""
        self.folder.mkdir(parents=True, exist_ok=True)
        bundle = self.folder / "root.pem"
        certificate = x509.load_der_x509_certificate(self._certificate)
        bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return {
            "token": {
                "realm": self.realm,
                "service": _SERVICE,
                "issuer": _ISSUER,
                "rootcertbundle": str(bundle),
            }
        }

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        query = parse_qs(urlsplit(request.path).query)
        scopes = tuple(one for text in query.get("scope", []) for one in text.split())
        login = _login(request.headers.get("Authorization", ""))
        refused = login is not None and self.logins.get(login[0]) != login[1]
        status = 401 if refused else 200
        account = login[0] if login else None
        self.seen.append(Asked(account, scopes, status))
        body = b"{}" if refused else self._token(account, scopes)
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _token(self, account: str | None, scopes: tuple[str, ...]) -> bytes:
        now = int(time.time())
        head = {
            "typ": "JWT",
            "alg": "RS256",
            "x5c": [base64.b64encode(self._certificate).decode()],
        }
        claims = {
            "iss": _ISSUER,
            "sub": account or "",
            "aud": _SERVICE,
            "exp": now + _SECONDS,
            "nbf": now - 10,
            "iat": now,
            "jti": str(time.monotonic_ns()),
            "access": [
                {"type": "repository", "name": name, "actions": ["pull"]}
                for name in (scope.split(":")[1] for scope in scopes)
                if account or name.startswith(self.public)
            ],
        }
        signed = b".".join(_base64url(json.dumps(part).encode()) for part in (head, claims))
        signature = self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        token = b".".join((signed, _base64url(signature))).decode()
        return json.dumps({"token": token, "expires_in": _SECONDS}).encode()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _login(header: str) -> tuple[str, str] | None:
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    name, _, password = base64.b64decode(text).decode().partition(":")
    return name, password


def _certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _ISSUER)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    return (
        builder.not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


def _base64url(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
