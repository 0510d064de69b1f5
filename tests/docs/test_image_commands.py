"""What the pages about images tell one to type and to paste works, and prints what they say."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.running import ROOT
from tests.docs.serving import PLACE, Place, blocks, commands, configure, serving
from tests.e2e.containerd import Containerd
from tests.e2e.distribution import Distribution
from tests.e2e.images import multi, single
from tests.e2e.skopeo import ACCEPT_ANYTHING, sandbox
from tests.e2e.stored import PullFailed, run

pytestmark = pytest.mark.e2e

ALPINE = multi("library/alpine", "3.20")
PAGES = sorted(
    str(page.relative_to(ROOT / "docs"))
    for page in (ROOT / "docs").glob("**/*.md")
    if PLACE in page.read_text()
)
TROUBLE = "how-to/troubleshooting-images.md"


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Distribution]:
    """What stands for Docker Hub."""
    folder = tmp_path_factory.mktemp("origin")
    with Distribution(folder, folder / "storage") as registry:
        for image in (ALPINE, single("library/alpine", "latest"), multi("library/postgres", "17")):
            registry.push(image)
        registry.push(multi("team/app", "1"))
        yield registry


@pytest.fixture(scope="module")
def place(origin: Distribution, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    configure(folder, origin.url)
    with serving(folder) as started:
        yield started


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Nothing of the machine's own, and a signature policy where programs look for one."""
    home = tmp_path / "home"
    policy = home / ".config" / "containers" / "policy.json"
    policy.parent.mkdir(parents=True)
    policy.write_text(ACCEPT_ANYTHING)
    return sandbox(home)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[list[str]]:
    """Flags of Podman and Buildah for a store of their own."""
    # Podman takes no longer path than 50 characters for what a reboot may clear.
    with tempfile.TemporaryDirectory(prefix="podman-") as volatile:
        yield [f"--root={tmp_path / 'store'}", f"--runroot={volatile}", "--storage-driver=vfs"]


PUSH = (
    "skopeo copy --src-tls-verify=false --dest-tls-verify=false "
    "docker://{0}/hub/alpine:3.20 docker://{0}/hub/library/new:1"
)
PODMAN = ["--events-backend=none", "--cgroup-manager=cgroupfs"]


def typed(line: str, place: Place, store: list[str]) -> list[str]:
    """A line of a page, as a command for this server."""
    program, *arguments = shlex.split(place.here(line))
    if program == "podman":
        return [program, *store, *PODMAN, *arguments]
    return [program, *store, *arguments] if program == "buildah" else [program, *arguments]


@pytest.mark.parametrize("page", PAGES)
def test_curl_gets_an_answer(page: str, place: Place, env: dict[str, str]) -> None:
    for line in commands(page, "curl"):
        if "/v2/" in line:
            assert run(typed(line, place, []), env), line


@pytest.mark.parametrize("page", PAGES)
def test_clients_of_images_do_what_the_page_says(
    page: str, place: Place, env: dict[str, str], store: list[str], tmp_path: Path
) -> None:
    for program in ("skopeo", "podman", "buildah"):
        for line in commands(page, program):
            subprocess.run(typed(line, place, store), env=env, cwd=tmp_path, check=True, timeout=60)


@pytest.mark.parametrize("number", [0, 1], ids=["mirror", "location"])
def test_podman_reads_the_file_of_the_page(
    number: int, place: Place, env: dict[str, str], store: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "registries.conf"
    file.write_text(place.here(blocks("how-to/podman.md", "toml")[number]))
    line = "podman pull docker.io/library/alpine:3.20"
    assert line in blocks("how-to/podman.md", "sh")[1]
    there = {**env, "CONTAINERS_REGISTRIES_CONF": str(file)}
    assert run(typed(line, place, store), there)


def test_containerd_reads_the_files_of_the_page(place: Place, tmp_path: Path) -> None:
    files = [text for text in blocks("how-to/containerd.md", "toml") if PLACE in text]
    assert len(files) == 3
    for number, text in enumerate(files):
        hosts = tmp_path / f"hosts-{number}"
        folder = hosts / ("docker.io" if "/hub" in text else "_default")
        folder.mkdir(parents=True)
        (folder / "hosts.toml").write_text(place.here(text))
        with Containerd(tmp_path / f"containerd-{number}") as containerd:
            held = containerd.pull("docker.io/library/alpine:3.20", hosts=hosts)
        assert ALPINE.first <= held, text


def test_prefetch_has_the_images_of_its_page(
    origin: Distribution, env: dict[str, str], tmp_path: Path
) -> None:
    configure(tmp_path, origin.url)
    lines = [line for block in blocks("how-to/prefetch.md", "sh") for line in block.splitlines()]
    for line in lines:
        if line.startswith("virtreg "):
            config = [] if "--config" in line else ["--config", "server.toml"]
            _, *arguments = shlex.split(line)
            command = [sys.executable, "-m", "virtreg", *arguments, *config]
            subprocess.run(command, env=env, cwd=tmp_path, check=True, timeout=60)


def test_offline_is_as_the_pages_say(
    origin: Distribution, env: dict[str, str], tmp_path: Path
) -> None:
    configure(tmp_path, origin.url, hours=1e-9)
    with serving(tmp_path) as online:
        url = f"http://{online.host}/v2/hub/alpine/manifests/3.20"
        first = run(["curl", "-fsS", url], env)
    with serving(tmp_path, "--offline") as offline:
        url = f"http://{offline.host}/v2/hub/alpine/manifests/3.20"
        assert run(["curl", "-fsS", url], env) == first
        head = run(["curl", "-fsSI", url], env)
        absent = run(["curl", "-sS", f"http://{offline.host}/v2/hub/debian/manifests/12"], env)
    refused, warning = blocks("how-to/offline.md", "text")
    assert f"warning: {warning.strip().removeprefix('Warning: ')}" in head.splitlines()
    message = json.loads(absent)["errors"][0]["message"]
    assert message.startswith(refused.strip().replace("library/debian", "debian"))
    told = json.loads(blocks("tutorial/first-pull.md", "json")[0])["errors"][0]
    assert told["code"] == json.loads(absent)["errors"][0]["code"]
    assert message.startswith(told["message"])


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("skopeo inspect --tls-verify=false docker://{0}/hub/library/single:9", "manifest unknown"),
        ("podman pull -q --tls-verify=false {0}/hub/library/single:9", "manifest unknown"),
        ("skopeo inspect docker://{0}/hub/alpine:3.20", "server gave HTTP response"),
        ("podman pull -q {0}/hub/alpine:3.20", "server gave HTTP response"),
        (PUSH, "POST: a virtual registry is read-only"),
        ("podman pull -q app:1", "short-name"),
    ],
)
def test_clients_fail_in_the_words_of_the_page(
    command: str, says: str, place: Place, env: dict[str, str], store: list[str]
) -> None:
    lines = [line for text in blocks(TROUBLE, "text") for line in text.splitlines()]
    told = next(place.here(line) for line in lines if says in line)
    told = told.replace("/etc/containers/registries.conf", env["CONTAINERS_REGISTRIES_CONF"])
    with pytest.raises(PullFailed) as failed:
        run(typed(command.format(PLACE), place, store), env)
    assert told in str(failed.value).replace('\\"', '"')
