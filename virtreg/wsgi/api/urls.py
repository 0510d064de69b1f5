"""URLs of upstreams as they are kept: one spelling, and none that leads inside."""

from __future__ import annotations

import re
from typing import Final

from virtreg.core.egress import EgressPolicy
from virtreg.core.weburl import check_url
from virtreg.errors import Invalid
from virtreg.formats.container.namespaces import DOCKER_HUB, DOCKER_HUB_URL, namespace
from virtreg.wsgi.api.flavour import CONTAINER, Flavour

LONGEST: Final = 255

_PUBLIC: Final = EgressPolicy()
_ENDS: Final = re.compile(r"(/|\.git)+\Z")
_ENDS_OF_IMAGES: Final = re.compile(r"(/|/v2|\.git)+\Z")
_DOTS: Final = re.compile(r"/(\.|%2e){1,2}(/|\Z)", re.IGNORECASE)


def normalised(text: str, flavour: Flavour, egress: EgressPolicy = _PUBLIC) -> str:
    """Without blanks around it, the host in lower case, without the scheme's own port, slashes at
    the end and a final ``.git``; for images also without a final ``/v2`` (OCI distribution-spec
    1.1.1: every registry has it), and with the one host of Docker Hub that serves them.

    Idempotent. Raises Invalid, naming ``url``, for what is no http or https URL, has user
    information, a query, a fragment, a backslash or dot segments, and for hosts that are addresses
    ``egress`` forbids. What a name resolves to is looked at when it is asked.
    """
    trimmed = text.strip()
    if len(trimmed) > LONGEST:
        raise Invalid({"url": [f"is too long (maximum is {LONGEST} characters)"]})
    try:
        url = check_url(trimmed)
    except ValueError as error:
        raise _refused(f"is invalid: {error}") from None
    if "?" in trimmed:
        raise _refused("is invalid: the URL must not contain a query")
    if "\\" in url.path:
        # Some read it as a slash (WHATWG URL, 4.4), so that ".." may follow.
        raise _refused("is invalid: the URL's path must not have a backslash")
    if _DOTS.search(url.path):
        raise _refused("is invalid: the URL's path must not have '.' or '..' segments")
    reason = egress.refuses_host(url.host)
    if reason is not None:
        raise _refused(f"is not allowed: its host is {reason}")
    images = flavour is CONTAINER
    path = (_ENDS_OF_IMAGES if images else _ENDS).sub("", url.path)
    if images and namespace(url.authority) == DOCKER_HUB:
        if path:
            raise _refused(f"is a page of Docker Hub; its registry is {DOCKER_HUB_URL}")
        return DOCKER_HUB_URL
    return f"{url.scheme}://{url.authority}{path}"


def _refused(text: str) -> Invalid:
    return Invalid({"url": [text]})
