"""Small answers that are kept ready go with what they were made of."""

from __future__ import annotations

from pathlib import Path

from werkzeug.test import create_environ, run_wsgi_app

from virtreg import Assembly, Config, RegistrySpec, StorageConfig, UpstreamSpec, build
from virtreg.core.policies import DAY
from virtreg.managed import CleanupPolicy
from virtreg.testing.fakes import FakeClock
from virtreg.testing.origin import Origin

FILE = "org/example/a/1.0/a-1.0.pom"
OLD, NEW = b"<project>old</project>", b"<project>new</project>"


def pull(assembly: Assembly) -> bytes:
    asked = create_environ(f"/api/v4/virtual_registries/packages/maven/1/{FILE}")
    body, status, _ = run_wsgi_app(assembly.app, asked, buffered=True)
    assert status == "200 OK"
    return b"".join(body)


def test_what_a_cleanup_removed_is_not_served_from_memory(tmp_path: Path) -> None:
    clock = FakeClock()
    with Origin() as origin:
        origin.put(FILE, OLD)
        upstream = UpstreamSpec(
            "central", origin.url, cache_validity_hours=1000, allow_private=("127.0.0.0/8",)
        )
        config = Config(
            (RegistrySpec(1, "java", "maven", (upstream,), group="g"),),
            storage=StorageConfig(tmp_path),
        )
        with build(config, clock=clock) as assembly:
            assert pull(assembly) == OLD
            assembly.works.publisher.settle()
            asked = len(origin.requests)
            assert [pull(assembly) for _ in range(3)] == [OLD] * 3
            assert len(origin.requests) == asked
            origin.put(FILE, NEW)
            now = clock()
            assembly.catalog.save_policy(
                CleanupPolicy("g", now, now, enabled=True, keep_n_days_after_download=1)
            )
            assembly.ledger.flush()
            clock.advance(2 * DAY)
            (ran,) = assembly.run_due(clock())
            assert ran.last_run.entries == 1
            assert pull(assembly) == NEW
