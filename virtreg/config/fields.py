"""Checks of single values: each takes what the file says and gives the value to use, or raises
ValueError with the reason, worded to follow the name of the key."""

from __future__ import annotations

import ipaddress
import math
import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit, urlunsplit

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,255}")
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?")
_NAMESPACE = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_IMAGE_PREFIX = re.compile(r"[a-z0-9]+(?:[._/-][a-z0-9]+)*", re.ASCII)
_SERVICE = re.compile(r"[A-Za-z0-9._:/-]{1,255}")
_TOKEN_PATH = re.compile(r"(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
_REGISTRIES = ("/-/", "/v2/", "/api/", "/maven/", "/container/")
_STORE_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S*")

_OWN_HEADERS = re.compile(
    "accept(-encoding)?|connection|content-length|expect|host|if-.*|keep-alive|proxy-.*|range|te"
    "|trailer|transfer-encoding|upgrade|user-agent",
    re.IGNORECASE,
)


def name(text: str) -> str:
    """A name of an upstream or a registry: it appears in URLs, logs and error bodies."""
    if not _NAME.fullmatch(text):
        raise ValueError(
            "must be 1 to 255 letters, digits, dots, underscores or hyphens, "
            "the first a letter or a digit"
        )
    return text


def description(text: str) -> str:
    if len(text) > 1024:
        raise ValueError(f"must be at most 1024 characters, not {len(text)}")
    return text


def url(text: str) -> str:
    """The base URL of an upstream (RFC 3986), without its trailing slashes."""
    parts = _http_url(text)
    if parts.query or "?" in text:
        raise ValueError("must have no query")
    if any(segment in {".", ".."} for segment in parts.path.split("/")):
        raise ValueError("must have no '.' or '..' in its path")
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path.rstrip("/"), "", ""))


def proxy(text: str) -> str:
    """The URL of an HTTP proxy: an address and nothing more."""
    parts = _http_url(text)
    if parts.path not in {"", "/"} or "?" in text:
        raise ValueError("must be a scheme, a host and a port, without a path")
    return text.rstrip("/")


def _http_url(text: str) -> SplitResult:
    if len(text) > 255:
        raise ValueError(f"must be at most 255 characters, not {len(text)}")
    if not text.isascii() or not _URL_CHARACTERS.fullmatch(text):
        raise ValueError("has a character that a URL cannot have; percent-encode it")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # its message quotes what may be half of a password
        raise ValueError("is not a URL: its host or its port is malformed") from None
    if parts.scheme not in {"http", "https"}:
        raise ValueError("must begin with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError(
            "must have no user name or password in it; "
            "put the user name in `username` and the password in `password`"
        )
    host = parts.hostname
    if not host:
        raise ValueError("has no host")
    if ":" not in host and not _HOST.fullmatch(host):
        raise ValueError("has a host that is neither a name nor an address")
    if port == 0:
        raise ValueError("must have a port from 1 to 65535")
    if "#" in text:
        raise ValueError("must have no fragment")
    return parts


def authority(text: str) -> str:
    """A host, with a port where it is not the usual one (RFC 3986, 3.2); in lower case."""
    try:
        parts = _http_url(f"https://{text}")
    except ValueError:
        parts = None
    if parts is None or parts.netloc != text or parts.netloc.endswith(":"):
        raise ValueError('must be a host such as "registry.example.org" or "localhost:5000"')
    return text.lower()


def namespace(text: str) -> str:
    """What stands before the last component of an image's name (OCI distribution-spec 1.1.1,
    Pulling manifests)."""
    if not _NAMESPACE.fullmatch(text) or len(text) > 255:
        raise ValueError('must be the beginning of an image name, such as "library"')
    return text


def argument(text: str) -> str:
    """A word of a command line."""
    if "\0" in text:
        raise ValueError("has a null character")
    return text


def username(text: str) -> str:
    """A user name for HTTP Basic, which ends at the first colon (RFC 7617, 2)."""
    if not text:
        raise ValueError("is empty")
    if len(text) > 510:
        raise ValueError(f"must be at most 510 characters, not {len(text)}")
    if ":" in text or not text.isprintable():
        raise ValueError("must have no colon and no control character")
    return text


def header(text: str) -> str:
    """A field name (RFC 9110, 5.1) that carries a credential."""
    if not _HEADER.fullmatch(text):
        raise ValueError("is not a header name")
    if _OWN_HEADERS.fullmatch(text):
        raise ValueError("is a header that virtreg sets itself")
    return text


def network(text: str) -> str:
    """A CIDR range, IPv4 or IPv6."""
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise ValueError(f"is not a CIDR range such as 10.0.0.0/8: {error}") from None


def at_least_zero(number: float) -> float:
    if _finite(number) < 0:
        raise ValueError("must be 0 or more")
    return number


def above_zero(number: float) -> float:
    if _finite(number) <= 0:
        raise ValueError("must be more than 0")
    return number


def share(number: float) -> float:
    if not 0 <= number <= 1:
        raise ValueError("must be from 0 to 1")
    return number


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError("must be a finite number")
    return number


def host(text: str) -> str:
    if not text or len(text) > 253 or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be a host name or an address")
    return text


def realm(text: str) -> str:
    """Goes between quotes into ``WWW-Authenticate`` (RFC 9110, 11.5)."""
    if not text or len(text) > 255 or not text.isascii() or not text.isprintable():
        raise ValueError("must be 1 to 255 printable ASCII characters")
    if '"' in text or "\\" in text:
        raise ValueError("must have no double quote and no backslash")
    return text


def service(text: str) -> str:
    """Who tokens are for: their audience, and between quotes in the challenge (RFC 6750, 3)."""
    if not _SERVICE.fullmatch(text):
        raise ValueError(
            "must be 1 to 255 letters, digits, dots, colons, slashes, underscores or hyphens"
        )
    return text


def token_path(text: str) -> str:
    """The path of the token service, where no registry and no probe is."""
    if not _TOKEN_PATH.fullmatch(text) or len(text) > 255:
        raise ValueError('must be a path such as "/jwt/auth"')
    if f"{text}/".startswith(_REGISTRIES):
        raise ValueError("is a path that registries or probes answer")
    return text


def image_prefix(text: str) -> str:
    """Begins the names of images (OCI distribution-spec 1.1.1, Pulling manifests)."""
    if not _IMAGE_PREFIX.fullmatch(text) or len(text) > 100:
        raise ValueError('must be a path of lower-case names, such as "mirrors/images"')
    return text


def store_url(text: str) -> str:
    if not _STORE_URL.fullmatch(text):
        raise ValueError('must be a URL such as "s3://bucket/prefix"')
    if "@" in urlsplit(text).netloc:
        raise ValueError("must have no credentials in it; give them in the environment")
    return text


def folder(text: str, beside: Path) -> str:
    """A folder, relative to another one. That it is there is seen when it is asked: it may be
    mounted later."""
    if not text or not text.isprintable():
        raise ValueError("must be the path of a folder")
    return str(beside / text)


def file(text: str, folder: Path) -> str:
    """An existing file, relative to ``folder``."""
    path = folder / text
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return str(path)
