"""What is said about figures is about figures that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from tests.docs import metrics_page
from tests.docs.running import ROOT
from virtreg import errors
from virtreg.backends.observers.metrics.declared import METRICS
from virtreg.backends.observers.metrics.figures import Figures
from virtreg.wsgi.outcomes import OUTCOMES

EXAMPLES = ROOT / "examples" / "monitor"
DASHBOARD = EXAMPLES / "grafana-dashboard.json"
ALERTS = EXAMPLES / "alerts.yml"

SERIES = {
    metric.name + suffix: metric
    for metric in METRICS
    for suffix in (("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",))
}

_USE = re.compile(r"\b(virtreg_\w+)(?:\{([^}]*)\})?")
_OF_SCRAPES = {"instance", "job", "le"}


def _expressions(path: Path) -> list[str]:
    if path == DASHBOARD:
        panels = json.loads(path.read_text())["panels"]
        return [target["expr"] for panel in panels for target in panel.get("targets", ())]
    (group,) = yaml.safe_load(path.read_text())["groups"]
    return [rule["expr"] for rule in group["rules"]]


def test_the_reference_names_every_metric_as_it_is() -> None:
    _, table, _ = metrics_page.split(metrics_page.PAGE.read_text())
    assert table == metrics_page.render()


def test_the_reference_names_every_outcome() -> None:
    page = metrics_page.PAGE.read_text()
    assert set(re.findall(r"^\| `(\w+)` \| [a-z0-9]", page, re.MULTILINE)) >= set(OUTCOMES)


def test_what_is_declared_is_what_is_exposed() -> None:
    registry = CollectorRegistry()
    Figures(registry, dict, dict)
    exposed = {(family.name, family.type) for family in registry.collect()}
    declared = {
        (metric.name.removesuffix("_total"), metric.kind)
        for metric in METRICS
        if not metric.scraped
    }
    assert exposed == declared


def test_names_are_those_that_prometheus_wants() -> None:
    for metric in METRICS:
        assert metric.name.startswith("virtreg_")
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.kind != "histogram" or metric.name.endswith("_seconds")


@pytest.mark.parametrize("path", [DASHBOARD, ALERTS], ids=lambda path: path.name)
def test_every_figure_that_is_asked_for_is_there(path: Path) -> None:
    uses = [use for text in _expressions(path) for use in _USE.findall(text)]
    assert len(uses) > 8
    for name, labels in uses:
        assert name in SERIES
        told = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", labels))
        assert told <= {*SERIES[name].labels, *_OF_SCRAPES}


@pytest.mark.parametrize("path", [DASHBOARD, ALERTS], ids=lambda path: path.name)
def test_series_are_told_apart_by_labels_they_have(path: Path) -> None:
    for text in _expressions(path):
        had = {label for name, _ in _USE.findall(text) for label in SERIES[name].labels}
        for labels in re.findall(r"by \(([^)]*)\)", text):
            assert {each.strip() for each in labels.split(",")} <= had | _OF_SCRAPES


def test_the_dashboard_shows_nearly_every_metric() -> None:
    shown = {SERIES[name] for text in _expressions(DASHBOARD) for name, _ in _USE.findall(text)}
    missing = {metric.name for metric in METRICS if metric not in shown}
    assert missing <= {"virtreg_catalog_revision", "virtreg_cleanup_entries_total"}


def test_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_alerts_are_about_codes_and_outcomes_that_there_are() -> None:
    text = " ".join(_expressions(ALERTS))
    codes = {getattr(errors, name).code for name in errors.__all__}
    assert set(re.findall(r'code="(\w+)"', text)) <= codes
    assert "error" in OUTCOMES


def test_the_scrape_configuration_asks_where_the_figures_are() -> None:
    scrape = yaml.safe_load((EXAMPLES / "prometheus.yml").read_text())
    (job,) = scrape["scrape_configs"]
    assert job["metrics_path"] == "/-/metrics"
    assert scrape["rule_files"] == [ALERTS.name]
