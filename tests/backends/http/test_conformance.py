"""The shipped suite on the real upstream and on the fake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.backends.http.peers import get, upstream
from virtreg.protocols import Upstream
from virtreg.testing.fakes import FakeUpstream
from virtreg.testing.origin import Origin
from virtreg.testing.upstreams import UpstreamSuite


class TestHttpUpstream(UpstreamSuite):
    @contextmanager
    def make_upstream(self, files: dict[str, bytes]) -> Iterator[Upstream]:
        with Origin(files) as origin, upstream(origin.url) as made:
            yield made


class TestHttpUpstreamBelowAPath(UpstreamSuite):
    @contextmanager
    def make_upstream(self, files: dict[str, bytes]) -> Iterator[Upstream]:
        below = {f"repository/maven 2/{path}": body for path, body in files.items()}
        with Origin(below) as origin, upstream(f"{origin.url}/repository/maven%202/") as made:
            yield made


class TestFakeUpstream(UpstreamSuite):
    def make_upstream(self, files: dict[str, bytes]) -> AbstractContextManager[Upstream]:
        return fake(files)


@contextmanager
def fake(files: dict[str, bytes]) -> Iterator[Upstream]:
    made = FakeUpstream(files)
    try:
        yield made
    finally:
        made.close()


def test_an_origin_serves_a_folder_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_bytes(b"secret")
    folder = tmp_path / "served"
    (folder / "org").mkdir(parents=True)
    (folder / "org" / "a.jar").write_bytes(b"jar" * 200_000)
    (folder / "link").symlink_to(tmp_path / "outside.txt")
    with Origin.from_folder(folder) as origin, upstream(origin.url) as made:
        assert get(made, "org/a.jar") == (200, b"jar" * 200_000)
        assert get(made, "org")[0] == 404
        assert get(made, "link")[0] == 404
        assert get(made, "x%2f../outside.txt")[0] == 404
