"""Response headers about a body.

What an upstream called its file is not repeated: media types follow from the name, and every
answer forbids a browser to sniff, run or show it, since anybody may have published it.
"""

from __future__ import annotations

from virtreg.model import Algorithm, Headers, Representation, Route

_MEDIA_TYPES = {
    ".pom": "application/xml",
    ".xml": "application/xml",
    ".jar": "application/java-archive",
    ".war": "application/java-archive",
    ".ear": "application/java-archive",
    ".aar": "application/java-archive",
    ".module": "application/json",
    ".json": "application/json",
    ".asc": "application/pgp-signature",
    ".zip": "application/zip",
    ".gz": "application/gzip",
    ".tgz": "application/gzip",
    ".txt": "text/plain",
}
_UNKNOWN = "application/octet-stream"
_SAFETY = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'"),
    ("Content-Disposition", "attachment"),
)
_CHECKSUMS = {
    Algorithm.SHA1: "X-Checksum-Sha1",
    Algorithm.MD5: "X-Checksum-Md5",
    Algorithm.SHA256: "X-Checksum-Sha256",
    Algorithm.SHA512: "X-Checksum-Sha512",
}


def headers(route: Route, representation: Representation) -> Headers:
    """Media type, safety, and the known digests of the body as clients look for them.

    Maven Resolver and Gradle skip the checksum file when ``X-Checksum-Sha1`` is there. The answer
    to a checksum route is the digest itself, and has no digests of its own.
    """
    if route.checksum is not None:
        return (("Content-Type", "text/plain"), *_SAFETY)
    checksums = (
        (name, representation.digests[algorithm])
        for algorithm, name in _CHECKSUMS.items()
        if algorithm in representation.digests
    )
    return (("Content-Type", _media_type(route.path)), *_SAFETY, *checksums)


def _media_type(path: str) -> str:
    name = path.rsplit("/", 1)[-1].lower()
    ending = name[name.rfind(".") :] if "." in name else ""
    return _MEDIA_TYPES.get(ending, _UNKNOWN)
