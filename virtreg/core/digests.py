"""Digests that others state about a body: checksum files, response headers, ETags.

Everything here is a *claim*: it is compared with what was hashed before a body is published, and
a claim that differs makes the body corrupt. So only what certainly is a digest of the body counts.
All functions are pure and never raise on outside text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from virtreg.model import Algorithm, Digests

_PREFIXES = ("x-checksum-", "x-goog-meta-checksum-", "x-amz-meta-checksum-")
_HEX = re.compile(r"[0-9a-f]+")
_HEX_TOKEN = re.compile(r"(?<![0-9a-z])[0-9a-f]+(?![0-9a-z])")
_BSD_LINE = re.compile(r"[a-z0-9-]+ ?\(.*\) ?= ?([0-9a-f]+)")
_SHA1_ETAG = re.compile(r'"?\{sha1\{([0-9a-f]{40})\}\}"?')
_SHA256_ETAG = re.compile(r'"sha256:([0-9a-f]{64})"')
_STRIPPED_ZEROS = 7
"""At most; eight fewer digits would make an MD5 of what should be a SHA-1."""


def parse_sidecar(text: bytes, algorithm: Algorithm) -> str | None:
    """The digest stated by a checksum file, as lower-case hex of full length, or None.

    Reads bare hex, ``<hex>  <file>`` (GNU coreutils) and ``SHA1(<file>)= <hex>`` (BSD, OpenSSL),
    in any case. Some writers print the number without its leading zeros: a file that is nothing
    but hex, at most seven digits short, is padded on the left. Markup is no checksum file.
    """
    content = text.decode("ascii", "replace").strip().lower()
    if content.startswith("<"):
        return None
    named = _BSD_LINE.match(content)
    if named is not None and len(named[1]) == algorithm.hex_length:
        return named[1]
    for token in _HEX_TOKEN.findall(content):
        if len(token) == algorithm.hex_length:
            return str(token)
    shortest = algorithm.hex_length - _STRIPPED_ZEROS
    if _HEX.fullmatch(content) and shortest <= len(content) < algorithm.hex_length:
        return content.zfill(algorithm.hex_length)
    return None


def etag_claims(etag: str) -> Digests:
    """Digests that a strong ETag (RFC 9110, 8.8.3) states by name.

    ``{SHA1{<hex>}}`` and ``"sha256:<hex>"`` say what they are. A bare hex tag does not, whatever
    its length: many servers send the MD5 or SHA-1 of the body, others a hash of something else of
    the same length (an encrypted or multipart object, a revision), and believing one of those
    would declare good bodies corrupt. Servers that mean a digest also send a checksum header,
    which :func:`header_claims` reads. A weak tag claims nothing about bytes.
    """
    tag = etag.strip().lower()
    for algorithm, form in ((Algorithm.SHA1, _SHA1_ETAG), (Algorithm.SHA256, _SHA256_ETAG)):
        match = form.fullmatch(tag)
        if match is not None:
            return {algorithm: match[1]}
    return {}


def header_claims(headers: Mapping[str, str]) -> Digests:
    """Digests stated in checksum headers; ``headers`` has lower-case names.

    Reads ``x-checksum-<algorithm>`` and the same as object metadata of the two large object
    stores, in that order of preference. Values that are not hex of the right length are ignored.
    """
    claims: dict[Algorithm, str] = {}
    for algorithm in Algorithm:
        for prefix in _PREFIXES:
            value = headers.get(prefix + algorithm, "").strip().lower()
            if len(value) == algorithm.hex_length and _HEX.fullmatch(value):
                claims[algorithm] = value
                break
    return claims
