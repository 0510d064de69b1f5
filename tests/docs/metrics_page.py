"""The table of ``docs/reference/metrics.md``: ``python -m tests.docs.metrics_page`` writes it."""

from __future__ import annotations

from tests.docs.running import ROOT
from virtreg.backends.observers.metrics.declared import METRICS, Metric

PAGE = ROOT / "docs" / "reference" / "metrics.md"
_HEAD = "| metric | kind | labels | |\n|---|---|---|---|\n"


def render() -> str:
    return _HEAD + "".join(_row(metric) for metric in METRICS)


def split(page: str) -> tuple[str, str, str]:
    """What stands before the table, the table, and what stands after it."""
    at = page.index(_HEAD)
    end = page.index("\n\n", at) + 1
    return page[:at], page[at:end], page[end:]


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.meaning} |\n"


if __name__ == "__main__":
    before, _, after = split(PAGE.read_text())
    PAGE.write_text(before + render() + after)
