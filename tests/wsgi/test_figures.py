"""``/-/metrics``: what it counts, and who may read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import define
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client, TestResponse

from tests.wsgi.sites import JAR, LARGE_BODY, POM, SMALL_BODY, Witness
from virtreg import (
    Assembly,
    Config,
    RegistrySpec,
    ServerConfig,
    StorageConfig,
    UpstreamSpec,
    build,
)
from virtreg.config import MetricsConfig
from virtreg.testing.origin import Origin

LOOPBACK = {"REMOTE_ADDR": "127.0.0.1"}


@define
class Watched:
    """A registry ``solo`` over the upstream ``near``, with its figures."""

    assembly: Assembly
    origin: Origin
    witness: Witness

    def get(self, path: str) -> TestResponse:
        answer = Client(self.assembly.app).get(f"/maven/solo/{path}")
        answer.get_data()
        return answer

    def page(self, **environ: str) -> TestResponse:
        return Client(self.assembly.app).get("/-/metrics", environ_overrides={**environ})

    def figures(self) -> Mapping[tuple[str, ...], float]:
        """By name and the values of the labels, in order of their names."""
        self.assembly.ledger.flush()
        page = self.page(**LOOPBACK)
        assert page.status_code == 200
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(page.text)
            for sample in family.samples
        }


@contextmanager
def watched(folder: Path, metrics: MetricsConfig, server: ServerConfig) -> Iterator[Watched]:
    with Origin() as origin:
        origin.put(POM, SMALL_BODY)
        origin.put(JAR, LARGE_BODY)
        upstream = UpstreamSpec("near", origin.url, allow_private=("127.0.0.0/8",))
        registry = RegistrySpec(1, "solo", "maven", (upstream,))
        witness = Witness()
        config = Config((registry,), server, StorageConfig(folder / "data"), metrics=metrics)
        assembly = build(config, observers=[witness])
        try:
            yield Watched(assembly, origin, witness)
        finally:
            assembly.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Watched]:
    with watched(tmp_path, MetricsConfig(enabled=True), ServerConfig()) as found:
        yield found


def test_requests_are_counted_by_how_they_ended(site: Watched) -> None:
    site.get(POM)
    site.witness.await_filled(POM)
    for _ in range(3):
        site.get(POM)
    site.get("absent.pom")
    site.get("a/%2e%2e/b")
    figures = site.figures()
    requests = {
        labels[1]: count
        for (name, *labels), count in figures.items()
        if name == "virtreg_requests_total" and labels[0] == "maven" and labels[2] == "solo"
    }
    assert requests == {"miss": 1, "hit": 1, "ready": 2, "absent": 1, "invalid": 1}
    assert figures["virtreg_sent_bytes_total", "maven", "solo"] > 4 * len(SMALL_BODY)
    assert figures["virtreg_answer_seconds_count", "maven"] == 4


def test_upstreams_are_counted(site: Watched) -> None:
    site.get(POM)
    site.get(JAR)
    site.witness.await_filled(POM)
    site.witness.await_filled(JAR)
    site.origin.put("broken.pom", status=500)
    assert site.get("broken.pom").status_code == 502
    figures = site.figures()
    assert figures["virtreg_upstream_requests_total", "found", "near"] == 2
    assert figures["virtreg_upstream_requests_total", "upstream_unavailable", "near"] == 1
    received = figures["virtreg_upstream_received_bytes_total", "near"]
    assert received == len(SMALL_BODY) + len(LARGE_BODY)
    assert figures["virtreg_fills_total", "near"] == 2
    assert figures["virtreg_publish_seconds_count",] == 2
    assert figures["virtreg_failures_total", "upstream_unavailable"] == 1
    assert figures["virtreg_upstream_breaker", "near"] == 0


def test_an_upstream_that_is_left_alone_shows(site: Watched) -> None:
    for number in range(5):
        site.origin.put(f"broken-{number}.pom", status=500)
        site.get(f"broken-{number}.pom")
    assert site.figures()["virtreg_upstream_breaker", "near"] == 2


def test_what_cannot_be_used_shows(site: Watched) -> None:
    assert site.figures()["virtreg_part_up", "index"] == 1
    site.assembly.index.close()
    figures = site.figures()
    assert figures["virtreg_part_up", "index"] == 0
    assert figures["virtreg_part_up", "store"] == 1


def test_nothing_of_paths_or_callers_is_told(site: Watched) -> None:
    site.get("org/secret-project/x/1/x-1.pom")
    page = Client(site.assembly.app).get("/-/metrics", environ_overrides=LOOPBACK).text
    site.assembly.ledger.flush()
    page += site.page(**LOOPBACK).text
    assert "secret-project" not in page
    assert "127.0.0.1" not in page


def test_the_page_is_plain_text_that_nobody_keeps(site: Watched) -> None:
    page = site.page(**LOOPBACK)
    assert page.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert page.headers["Cache-Control"] == "no-store"
    head = Client(site.assembly.app).head("/-/metrics", environ_overrides=LOOPBACK)
    assert (head.status_code, head.get_data()) == (200, b"")


@pytest.mark.parametrize(
    "environ",
    [
        {"REMOTE_ADDR": "192.0.2.1"},
        {"REMOTE_ADDR": ""},
        {"REMOTE_ADDR": "unix:"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=127.0.0.1"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_VIA": "1.1 proxy"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_PROTO": "https"},
        {**LOOPBACK, "HTTP_HOST": "evil.example", "HTTP_ACCEPT_LANGUAGE": "en"},
    ],
    ids=lambda environ: " ".join(environ.values()),
)
def test_others_learn_nothing_of_it(site: Watched, environ: dict[str, str]) -> None:
    assert site.page(**environ).status_code == 404


def test_behind_a_trusted_proxy_the_peer_counts(tmp_path: Path) -> None:
    allowed = MetricsConfig(enabled=True, allow=("198.51.100.0/24",))
    trusting = ServerConfig(trusted_proxies=("127.0.0.0/8",))
    with watched(tmp_path, allowed, trusting) as site:
        told = {"HTTP_X_FORWARDED_FOR": "198.51.100.7"}
        assert site.page(**LOOPBACK, **told).status_code == 200
        forged = {"HTTP_X_FORWARDED_FOR": "198.51.100.7, 192.0.2.1"}
        assert site.page(**LOOPBACK, **forged).status_code == 404
        assert site.page(**LOOPBACK).status_code == 404


@pytest.mark.parametrize(
    "told",
    [
        {"HTTP_X_FORWARDED_FOR": "unix:"},
        {"HTTP_X_FORWARDED_FOR": "192.0.2.1, unknown"},
        {"HTTP_X_FORWARDED_PROTO": "https"},
        {"HTTP_X_FORWARDED_FOR": "192.0.2.1", "HTTP_VIA": "1.1 proxy"},
    ],
    ids=lambda told: " ".join(told.values()),
)
def test_a_trusted_proxy_that_does_not_say_for_whom_is_nobody(
    tmp_path: Path, told: dict[str, str]
) -> None:
    trusting = ServerConfig(trusted_proxies=("127.0.0.0/8",))
    with watched(tmp_path, MetricsConfig(enabled=True), trusting) as site:
        assert site.page(**LOOPBACK).status_code == 200
        assert site.page(**LOOPBACK, **told).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["//-/metrics", "/-/metrics/", "/-//metrics", "/-/./metrics", "/-/Metrics", "/-/metrics;x"],
)
def test_there_is_one_path_to_it(site: Watched, path: str) -> None:
    answer = Client(site.assembly.app).get("/", environ_overrides={**LOOPBACK, "PATH_INFO": path})
    assert answer.status_code == 404


def test_a_browser_reads_it_under_names_that_are_ours(tmp_path: Path) -> None:
    named = ServerConfig(allowed_hosts=("node1.example.org",))
    with watched(tmp_path, MetricsConfig(enabled=True), named) as site:
        browsing = {**LOOPBACK, "HTTP_ACCEPT_LANGUAGE": "en"}
        for host, status in (
            ("node1.example.org:81", 200),
            ("127.0.0.1:81", 200),
            ("evil.example", 404),
        ):
            assert site.page(**browsing, HTTP_HOST=host).status_code == status
        # No browser: nobody's page decides what it asks.
        assert site.page(**LOOPBACK, HTTP_HOST="node2.example.org").status_code == 200


def test_there_is_no_page_unless_it_is_wanted(tmp_path: Path) -> None:
    with watched(tmp_path, MetricsConfig(), ServerConfig()) as site:
        assert site.page(**LOOPBACK).status_code == 404
