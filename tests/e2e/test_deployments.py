"""The examples of how to run it are what they say they are."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import Serve
from tests.e2e.processes import Started, end, free_port, until
from tests.e2e.server import Server, Upstream
from virtreg import load

pytestmark = pytest.mark.e2e

_EXAMPLES = Path(__file__).parents[2] / "examples" / "deploy"
_DATABASE = "postgresql://virtreg:word@db.example.org/virtreg"
_JAR = "org/example/alpha/1.0/alpha-1.0.jar"


class Proxy(Started):
    """nginx or HAProxy with an example's configuration, on other ports."""

    def __init__(self, text: str, folder: Path, nodes: list[Server]) -> None:
        self.port = free_port()
        for old, new in (("8443", self.port), ("8081", nodes[0].port), ("8082", nodes[1].port)):
            assert f"127.0.0.1:{old}" in text
            text = text.replace(f"127.0.0.1:{old}", f"127.0.0.1:{new}")
        self.config = folder / "proxy.conf"
        self.config.write_text(self.placed(text, folder))
        self.folder = folder

    def placed(self, text: str, folder: Path) -> str:
        return text

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> Proxy:
        with (self.folder / "proxy.log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        until(lambda: self.status("/-/ready") == 200, f"proxy, see {self.folder / 'proxy.log'}")
        return self

    def stop(self) -> None:
        end(self._process)

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            content: bytes = answer.read()
            return content

    def status(self, path: str) -> int:
        try:
            self.get(path)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0
        return 200


class InNginx(Proxy):
    def placed(self, text: str, folder: Path) -> str:
        temporary = "".join(
            f"    {name}_temp_path {folder}/{name};\n"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        here = f"daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n"
        quiet = f"http {{\n    access_log off;\n{temporary}"
        return here + text.replace("http {\n", quiet, 1)

    def command(self) -> list[str]:
        binary = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
        assert binary is not None, "nginx is missing: install what .ci/run installs"
        return [binary, "-p", str(self.folder), "-c", str(self.config)]


class InHaproxy(Proxy):
    def command(self) -> list[str]:
        binary = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/bin")
        assert binary is not None, "haproxy is missing: install what .ci/run installs"
        return [binary, "-db", "-f", str(self.config)]


@pytest.fixture
def nodes(serve: Serve, upstreams: list[Upstream]) -> list[Server]:
    return [serve(*upstreams), serve(*upstreams)]


@pytest.fixture(params=[("nginx.conf", InNginx), ("haproxy.cfg", InHaproxy)], ids=lambda p: p[0])
def proxy(request: pytest.FixtureRequest, tmp_path: Path, nodes: list[Server]) -> Iterator[Proxy]:
    name, kind = request.param
    folder = tmp_path / "proxy"
    folder.mkdir()
    with kind((_EXAMPLES / name).read_text(), folder, nodes) as started:
        yield started


def test_a_proxy_sends_each_file_to_one_node_and_lives_on_when_a_node_dies(
    proxy: Proxy, nodes: list[Server], repositories: Mapping[str, Path]
) -> None:
    files = sorted(
        path for path in repositories["all"].rglob("*") if path.suffix in {".jar", ".pom"}
    )
    paths = [str(path.relative_to(repositories["all"])) for path in files]
    assert len(paths) > 4
    for path, file in zip(paths, files, strict=True):
        assert proxy.get(f"/maven/main/{path}") == file.read_bytes()
    nodes[0].kill()
    for path, file in zip(paths, files, strict=True):
        assert proxy.get(f"/maven/main/{path}") == file.read_bytes()
    nodes[0].start()
    assert proxy.status("/maven/main/org/example/none/1/none-1.pom") == 404
    assert proxy.status("/-/metrics") == 404


def test_a_proxy_takes_no_field_for_another_one(proxy: Proxy) -> None:
    url = f"http://127.0.0.1:{proxy.port}/maven/main/org/example/none/1/none-1.pom"
    for name, believed in (("X-Request-Id", True), ("X_Request_Id", False)):
        asked = urllib.request.Request(url, headers={name: "of-the-caller"})
        with pytest.raises(urllib.error.HTTPError) as answered:
            urllib.request.urlopen(asked, timeout=30)
        with answered.value:
            told = answered.value.headers["X-Request-Id"]
        assert (told == "of-the-caller") is believed


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    binary = shutil.which("systemd-analyze")
    assert binary is not None, "systemd is missing: install what .ci/run installs"
    unit = tmp_path / "virtreg.service"
    text = (_EXAMPLES / "virtreg.service").read_text()
    program = str(Path(sys.executable).parent / "virtreg")
    unit.write_text(text.replace("/opt/virtreg/bin/virtreg", program))
    done = subprocess.run(
        [binary, "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60
    )
    complaints = [line for line in done.stderr.splitlines() if "virtreg.service" in line]
    assert (done.returncode, complaints) == (0, [])


def test_the_configuration_of_many_nodes_is_one(tmp_path: Path) -> None:
    config = load(_EXAMPLES / "node.toml", {"VIRTREG_DATABASE": _DATABASE})
    assert config.storage.database is not None
    assert config.storage.database.reveal() == _DATABASE
    assert config.storage.url == "s3://example-virtreg/cache"
    assert [registry.format for registry in config.registries] == ["maven", "container"]


def test_pods_are_given_what_the_configuration_asks_for_and_live_as_long_as_it_says() -> None:
    documents = list(yaml.safe_load_all((_EXAMPLES / "kubernetes.yaml").read_text()))
    kinds = {document["kind"]: document for document in documents}
    config = load(_EXAMPLES / "node.toml", {"VIRTREG_DATABASE": _DATABASE})
    for pods in (kinds["Job"], kinds["Deployment"]):
        spec = pods["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        _check_mounts(spec, container, config.storage.path)
        secrets = {each["name"] for each in container["env"]}
        assert secrets == {"VIRTREG_DATABASE", "VIRTREG_SECRET_KEYS"}
    (container,) = kinds["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["serve", "/etc/virtreg/server.toml"]
    (port,) = container["ports"]
    assert port["containerPort"] == config.server.port
    assert container["readinessProbe"]["httpGet"]["path"] == "/-/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/-/health"
    seconds = kinds["Deployment"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert seconds > pause + config.server.graceful_timeout
    assert kinds["Service"]["spec"]["selector"] == {"app": "virtreg"}


def _check_mounts(spec: Mapping[str, Any], container: Mapping[str, Any], data: Path) -> None:
    volumes = {each["name"] for each in spec["volumes"]}
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert set(mounts) <= volumes
    assert mounts["data"] == str(data)
    assert mounts["configuration"] == "/etc/virtreg"


def test_the_image_runs_what_there_is_as_nobody_in_particular() -> None:
    text = (_EXAMPLES / "Containerfile").read_text()
    instructions = re.findall(r"^([A-Z]+) ", text, re.MULTILINE)
    assert instructions[-1] == "CMD"
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    extras = re.search(r'"/source\[(.+)\]"', text)
    assert extras is not None
    known = _extras()
    assert set(extras[1].split(",")) <= known


def _extras() -> set[str]:
    import tomllib

    project = tomllib.loads((_EXAMPLES.parents[1] / "pyproject.toml").read_text())["project"]
    return set(project["optional-dependencies"])
