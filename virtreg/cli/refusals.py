"""What an API refuses, in lines for people: its own words, and what they mean where GitLab's, which
they are, tell little."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_SIGN_IN: Final = (
    "a token with the scope api is needed, in VIRTREG_TOKEN or the file of --token-file; where the"
    " server runs, `virtreg token create --kind personal --user NAME --scopes api` makes one"
)
_MEANS: Final = (
    ("group_id has already been taken", "the group has a registry of this format and name"),
    ("upstream_id has already been taken", "the registry has this upstream already"),
    ("pattern has already been taken", "the upstream has this rule already"),
    (
        "group already has an upstream with the same credentials",
        "its URL and login are those of one that `virtreg upstream link` puts into more registries",
    ),
    (
        "url is not allowed: ",
        "`allow_private` of [management], in the server's configuration file, opens more",
    ),
)


def lines(status: int, told: Mapping[str, Any]) -> Iterator[str]:
    """Of the JSON object that came with a status of 400 and more."""
    for line in _told(told):
        yield line
        yield from (meaning for begin, meaning in _MEANS if line.startswith(begin))
    if status == 401:
        yield _SIGN_IN


def _told(told: Mapping[str, Any]) -> Iterator[str]:
    message = told.get("error") or told.get("message")
    if isinstance(message, dict):
        for name, texts in message.items():
            for text in texts if isinstance(texts, list) else [texts]:
                yield f"{name} {text}"
    elif message:
        detail = told.get("detail")
        yield f"{message}: {detail}" if detail else str(message)
    details = told.get("details")
    if isinstance(details, dict):
        # An expression says nothing to people.
        told_of = ((name, text) for name, text in details.items() if "regex" not in str(text))
        yield from (f"{name}: {text}" for name, text in told_of)
