"""The management API of a server, over HTTP."""

from __future__ import annotations

import ssl
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final

import click
from attrs import field, frozen

from virtreg.cli.api import ROOT, Reply
from virtreg.core.weburl import WebUrl, check_url
from virtreg.model import Secret

_SECONDS: Final = 60.0
"""Longest silence."""
_MOST_BYTES: Final = 64 * 1024 * 1024


@frozen(eq=False)
class Remote:
    """A Door. The token is sent to this one server and nowhere else: redirects are refused. TLS
    certificates are verified, against ``SSL_CERT_FILE`` where the environment has it. Each request
    has a connection of its own."""

    url: WebUrl
    """Of the application."""
    _token: Secret = field(repr=False)

    @classmethod
    def at(cls, url: str, token: Secret) -> Remote:
        """Raises ValueError, saying what is wrong with the URL or with the token."""
        found = check_url(url.rstrip("/").removesuffix(ROOT))
        if found.query:
            raise ValueError("the URL must not contain a query")
        text = token.reveal()
        if not text:
            raise ValueError("the token is empty")
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("the token must be printable ASCII text without blanks")
        return cls(found, token)

    @property
    def unprotected(self) -> bool:
        """Whether others on the way can read the token."""
        return self.url.scheme == "http" and self.url.host not in ("localhost", "127.0.0.1", "::1")

    @property
    def settles(self) -> bool:
        return False

    def settle(self) -> None:
        pass

    def send(self, method: str, target: str, body: bytes | None) -> Reply:
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {self._token.reveal()}",
            "User-Agent": "virtreg",
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = self._connection()
        try:
            connection.request(method, self.url.path.rstrip("/") + target, body, headers)
            return self._reply(connection.getresponse())
        except ssl.SSLCertVerificationError as error:
            raise self._failed(
                f"its certificate is not trusted: {error.verify_message}; SSL_CERT_FILE names a"
                " file of authorities to trust"
            ) from None
        except ssl.SSLError as error:
            reason = (error.reason or str(error)).lower().replace("_", " ")
            raise self._failed(
                f"no TLS there ({reason}); does the server's URL begin with http://?"
            ) from None
        except TimeoutError:
            raise self._failed(f"no answer in {_SECONDS:.0f} s") from None
        except OSError as error:
            raise self._failed(f"cannot be reached: {error.strerror or error}") from None
        except HTTPException:
            raise self._failed("what answers is no HTTP server") from None
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        host, port = self.url.host, self.url.port
        if self.url.scheme == "http":
            return HTTPConnection(host, port, timeout=_SECONDS)
        context = ssl.create_default_context()
        return HTTPSConnection(host, port, timeout=_SECONDS, context=context)

    def _reply(self, response: HTTPResponse) -> Reply:
        if 300 <= response.status < 400:
            raise self._failed(
                f"answers {response.status} and sends elsewhere, where the token does not go; say"
                " the server's own URL"
            )
        body = response.read(_MOST_BYTES + 1)
        if len(body) > _MOST_BYTES:
            raise self._failed("the answer is too long")
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, body)

    def _failed(self, reason: str) -> click.ClickException:
        return click.ClickException(f"{self.url}: {reason}")
