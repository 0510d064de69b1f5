"""What is kept."""

from __future__ import annotations

from attrs import frozen

from virtreg.model.digests import Algorithm, Digests
from virtreg.model.exchanges import Validators


@frozen
class Entry:
    """One cached path of one source: bookkeeping only, the bytes are in the store.

    ``source`` is an upstream's key, or a registry's key for documents merged there.
    """

    source: str
    path: str
    sha256: str
    """Also the blob's key in the store."""
    size: int
    sha1: str
    """Empty when it is not known; so are the next two."""
    md5: str
    sha512: str
    content_type: str | None
    """As the upstream sent it; never served unchecked."""
    etag: str | None
    last_modified: str | None
    created_at: float
    checked_at: float
    """When an upstream last vouched for this path."""
    parts: str = ""
    """For merged documents: fingerprint of the members they were built from."""

    @property
    def digests(self) -> Digests:
        """Those that are known."""
        known = {
            Algorithm.SHA256: self.sha256,
            Algorithm.SHA1: self.sha1,
            Algorithm.MD5: self.md5,
            Algorithm.SHA512: self.sha512,
        }
        return {algorithm: digest for algorithm, digest in known.items() if digest}

    @property
    def validators(self) -> Validators:
        return Validators(self.etag, self.last_modified)
