"""Spans of requests, as a collector gets them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from werkzeug.test import Client

from tests.wsgi.collector import PATH, Collector, collecting
from tests.wsgi.sites import JAR, LARGE_BODY, METADATA, POM, SMALL_BODY, Witness, metadata
from virtreg import Config, RegistrySpec, StorageConfig, UpstreamSpec, build
from virtreg.config import TracingConfig
from virtreg.testing.origin import Origin

SERVER, CLIENT, INTERNAL = 2, 3, 1
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TRACED = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
NOT_TRACED = {"traceparent": f"00-{TRACE}-{PARENT}-00"}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


@contextmanager
def traced(folder: Path, tracing: TracingConfig) -> Iterator[tuple[Client, Origin, Witness]]:
    """The spans are sent when it ends."""
    witness = Witness()
    with Origin() as near, Origin() as far:
        near.put(POM, SMALL_BODY)
        near.put(JAR, LARGE_BODY)
        near.put(METADATA, metadata("1.0"))
        far.put(METADATA, metadata("1.1"))
        specs = [
            UpstreamSpec(name, origin.url, allow_private=("127.0.0.0/8",))
            for name, origin in (("near", near), ("far", far))
        ]
        registries = (
            RegistrySpec(1, "solo", "maven", tuple(specs[:1])),
            RegistrySpec(2, "main", "maven", tuple(specs)),
        )
        config = Config(registries, storage=StorageConfig(folder / "data"), tracing=tracing)
        assembly = build(config, observers=[witness])
        try:
            yield Client(assembly.app), near, witness
        finally:
            assembly.close()


def _ask(client: Client, path: str, headers: dict[str, str] | None = None) -> int:
    answer = client.get(path, headers=headers)
    answer.get_data()
    return answer.status_code


def test_a_request_is_traced_to_the_upstream_and_to_the_disk(
    tmp_path: Path, collector: Collector
) -> None:
    with traced(tmp_path, TracingConfig(collector.endpoint)) as (client, near, _):
        answer = client.get(f"/maven/solo/{POM}", headers=TRACED)
        seen = near.requests[0].headers
    (served,) = collector.named("GET")
    (resolved,) = collector.named("resolve")
    (asked,) = (
        span for span in collector.named("GET upstream") if span.facts["virtreg.path"] == POM
    )
    (published,) = collector.named("publish")
    assert collector.paths == {PATH}
    assert {span.trace for span in collector.spans} == {TRACE}
    assert {span.service for span in collector.spans} == {"virtreg"}
    assert (served.kind, served.parent) == (SERVER, PARENT)
    assert (resolved.kind, resolved.parent) == (INTERNAL, served.span)
    assert (asked.kind, asked.parent) == (CLIENT, resolved.span)
    assert (published.kind, published.parent) == (INTERNAL, resolved.span)
    assert served.facts["http.request.method"] == "GET"
    assert served.facts["http.response.status_code"] == 200
    assert served.facts["virtreg.cache"] == "miss"
    assert served.facts["virtreg.request_id"] == answer.headers["X-Request-Id"]
    assert resolved.facts == {"virtreg.registry": "solo", "virtreg.format": "maven"}
    assert asked.facts["virtreg.upstream"] == "near"
    assert asked.facts["virtreg.received_bytes"] == len(SMALL_BODY)
    assert published.facts["virtreg.bytes"] == len(SMALL_BODY)
    assert seen["traceparent"] == f"00-{TRACE}-{asked.span}-01"
    assert not any(span.failed for span in collector.spans)


def test_a_large_body_is_read_within_its_span(tmp_path: Path, collector: Collector) -> None:
    with traced(tmp_path, TracingConfig(collector.endpoint)) as (client, _, _):
        assert _ask(client, f"/maven/solo/{JAR}") == 200
    received = [span.facts["virtreg.received_bytes"] for span in collector.named("GET upstream")]
    assert max(received) == len(LARGE_BODY)
    (published,) = collector.named("publish")
    assert published.trace == collector.named("GET")[0].trace


def test_upstreams_that_are_asked_together_are_parts_of_one_request(
    tmp_path: Path, collector: Collector
) -> None:
    with traced(tmp_path, TracingConfig(collector.endpoint)) as (client, _, _):
        assert _ask(client, f"/maven/main/{METADATA}") == 200
    (resolved,) = collector.named("resolve")
    asked = collector.named("GET upstream")
    assert sorted(span.facts["virtreg.upstream"] for span in asked) == ["far", "near"]
    assert {span.parent for span in asked} == {resolved.span}


def test_what_fails_is_marked(tmp_path: Path, collector: Collector) -> None:
    with traced(tmp_path, TracingConfig(collector.endpoint)) as (client, near, _):
        near.put("broken.pom", status=500)
        assert _ask(client, "/maven/solo/broken.pom") == 502
    (served,) = collector.named("GET")
    (asked,) = collector.named("GET upstream")
    assert (served.failed, served.facts["error.type"]) == (True, "502")
    assert (asked.failed, asked.facts["error.type"]) == (True, "upstream_unavailable")


def test_an_answer_that_was_ready_is_traced(tmp_path: Path, collector: Collector) -> None:
    with traced(tmp_path, TracingConfig(collector.endpoint)) as (client, _, witness):
        assert _ask(client, f"/maven/solo/{POM}") == 200
        witness.await_filled(POM)
        for _ in range(3):
            assert _ask(client, f"/maven/solo/{POM}") == 200
    served = collector.named("GET")
    assert len(served) == 4
    assert served[-1].facts["virtreg.cache"] == "hit"


def test_the_caller_decides_whether_its_trace_is_recorded(
    tmp_path: Path, collector: Collector
) -> None:
    with traced(tmp_path, TracingConfig(collector.endpoint, ratio=0.0)) as (client, near, _):
        _ask(client, f"/maven/solo/{POM}")
        _ask(client, f"/maven/solo/{JAR}", NOT_TRACED)
        _ask(client, "/maven/solo/absent.pom", TRACED)
        told = [seen.headers["traceparent"] for seen in near.requests]
    # The lowest bit of the flags says whether it is recorded (W3C Trace Context, 3.2.2.5).
    assert {int(each[-2:], 16) & 1 for each in told[:2]} == {0}
    assert {span.trace for span in collector.spans} == {TRACE}
    assert [span.facts["url.path"] for span in collector.named("GET")] == ["/maven/solo/absent.pom"]


def test_a_trace_that_is_none_begins_a_new_one(tmp_path: Path, collector: Collector) -> None:
    with traced(tmp_path, TracingConfig(collector.endpoint)) as (client, _, _):
        _ask(client, f"/maven/solo/{POM}", {"traceparent": "00-nonsense"})
    (served,) = collector.named("GET")
    assert served.parent == ""


@pytest.mark.parametrize(
    "state",
    ["of=ours", "not a member", "a=b=c", "a=" + "b" * 600, ",".join(f"k{n}=v" for n in range(40))],
    ids=["good", "none", "two", "long", "many"],
)
def test_what_a_caller_says_to_its_tracers_is_in_no_log_and_at_no_upstream(
    tmp_path: Path, collector: Collector, caplog: pytest.LogCaptureFixture, state: str
) -> None:
    with traced(tmp_path, TracingConfig(collector.endpoint)) as (client, near, _):
        assert _ask(client, f"/maven/solo/{POM}", {**TRACED, "tracestate": state}) == 200
        seen = near.requests[0].headers
    assert "tracestate" not in seen
    assert seen["traceparent"].startswith(f"00-{TRACE}-")
    assert [each for each in caplog.records if each.name.startswith("opentelemetry")] == []


def test_a_collector_that_is_away_disturbs_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with collecting() as gone:
        endpoint = gone.endpoint
    with traced(tmp_path, TracingConfig(endpoint)) as (client, _, _):
        assert _ask(client, f"/maven/solo/{POM}") == 200
    said = [each.getMessage() for each in caplog.records if each.name.startswith("opentelemetry")]
    assert len(said) == 1


LOADED = """
import sys
from pathlib import Path
from virtreg import Config, RegistrySpec, StorageConfig, UpstreamSpec, build
from wsgiref.util import setup_testing_defaults
upstream = UpstreamSpec("near", "http://192.0.2.1:9")
registry = RegistrySpec(1, "solo", "maven", (upstream,))
assembly = build(Config((registry,), storage=StorageConfig(Path(sys.argv[1]))))
environ = {"PATH_INFO": "/-/ready"}
setup_testing_defaults(environ)
assembly.app(environ, lambda *_: None)
assembly.close()
print(*(name for name in ("opentelemetry", "prometheus_client") if name in sys.modules))
"""


def test_nothing_of_it_is_loaded_unless_it_is_wanted(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LOADED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
