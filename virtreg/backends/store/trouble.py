"""What goes wrong with a service far away, sorted by what is to be done about it.

Nothing here imports the libraries that talk to such services: what they raise is known by the error
code that came with it (Amazon S3 API Reference, Error Responses).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_NO_BUCKET: Final = "NoSuchBucket"
_WORDS: Final = {
    _NO_BUCKET: "the bucket is not there",
    "AccessDenied": "the bucket refuses it",
    "403": "the bucket refuses it",
    "InvalidAccessKeyId": "the bucket does not know the access key",
    "SignatureDoesNotMatch": "the secret of the access key is not the right one",
    "RequestTimeTooSkewed": "the clock of this machine is wrong",
}
_NO_SUCH_PART: Final = frozenset({"InvalidRange", "416"})
_EXPIRED: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidToken",
        "RequestExpired",
        "TokenRefreshRequired",
        # Where keys are rotated, those that were read at the start are unknown one day.
        "InvalidAccessKeyId",
    }
)


def is_absent(error: BaseException) -> bool:
    """Whether it says that one object is not there, and not that all of its bucket is gone."""
    return isinstance(error, FileNotFoundError) and _NO_BUCKET not in set(_codes(error))


def is_no_such_part(error: BaseException) -> bool:
    """Whether it says that an object ends before the bytes that were asked for."""
    return not _NO_SUCH_PART.isdisjoint(_codes(error))


def is_expired(error: BaseException) -> bool:
    """Whether credentials were good once: new ones may be had by asking for them again."""
    return not _EXPIRED.isdisjoint(_codes(error))


def said_of(error: BaseException) -> str:
    """What went wrong, by its kind: what services say themselves may hold signed URLs."""
    kind = type(error).__name__
    known = next((code for code in _codes(error) if code in _WORDS), None)
    return kind if known is None else f"{_WORDS[known]} ({kind})"


def _codes(error: BaseException) -> Iterator[str]:
    """Those of the error, and of what it was made from."""
    seen: BaseException | None = error
    while seen is not None:
        response = getattr(seen, "response", None)
        if isinstance(response, dict):
            code = response.get("Error", {}).get("Code")
            if isinstance(code, str):
                yield code
        seen = seen.__cause__
