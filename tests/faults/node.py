"""virtreg as it runs under faults: in a hurry, and wherever it is told to keep things."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from attrs import define, field

from tests.e2e.server import Server, Setting

HASTY: Mapping[str, Setting] = {"connect_timeout": 1, "read_timeout": 2}
"""Of upstreams; what :data:`tests.faults.judging.LIMIT` is made for."""

OLD_AT_ONCE: Mapping[str, Setting] = {
    "cache_validity_hours": 1e-9,
    "metadata_cache_validity_hours": 1e-9,
}


@define
class Node(Server):
    """``also`` says what registries there are; ``main`` is there for its form's sake."""

    serving: Mapping[str, Setting] = field(factory=dict)
    """Further keys of ``[server]``."""
    storing: Mapping[str, Setting] = field(factory=dict)
    """Further keys of ``[storage]``; ``path`` is ``data`` unless it is among them."""

    @property
    def data(self) -> Path:
        return self.folder / str(self.storing.get("path", "data"))

    def url(self, registry: str, path: str) -> str:
        form = str(self.also[registry].get("format", self.format))
        above = "v2" if form == "container" else form
        return f"http://{self.host}/{above}/{registry}/{path}"

    def said(self, level: str) -> list[str]:
        """Lines of the log at a level, as it is written."""
        return re.findall(rf"^.*{level}.*$", self.log.read_text(), re.MULTILINE)

    def _config(self) -> str:
        lines = super()._config().splitlines()
        lines[1:1] = _keys(self.serving)
        begin = lines.index("[storage]") + 1
        lines[begin : begin + 1] = _keys({"path": "data", **self.storing})
        return "\n".join(lines) + "\n"


def _keys(table: Mapping[str, Setting]) -> list[str]:
    return [f"{key} = {json.dumps(value)}" for key, value in table.items()]
