"""What GitLab's documentation shows, typed into curl, is answered as it says."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.gitlab_examples import CONTAINER, MAVEN, POLICIES, Example
from tests.e2e.managed import GROUP, Managed, managed, pom
from tests.e2e.processes import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_PAGES = ("x-page", "x-per-page", "x-next-page", "x-prev-page", "x-total", "x-total-pages", "link")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managed]:
    with managed(tmp_path_factory.mktemp("managed")) as place:
        place.pulled(f"/maven/main/{pom('catalog')}")
        place.pulled("/v2/images/library/alpine/manifests/latest")
        yield place


@pytest.fixture
def login(place: Managed, tmp_path: Path) -> Path:
    """The header in a file, so that no list of processes shows it."""
    path = tmp_path / "login"
    path.write_text(f"PRIVATE-TOKEN: {place.owner.secret}\n")
    return path


def _curl(place: Managed, login: Path, example: Example, names: Mapping[str, Any]) -> Any:
    """The answer's JSON, or None; the status and the headers are as they are documented."""
    url = f"{place.url}/api/v4{_filled(example.path, names)}"
    command = ["curl", "--silent", "--show-error", "--include", "--header", f"@{login}"]
    command += ["--request", example.method, "--header", "Accept: application/json", "--url", url]
    if example.data:
        command += ["--data", _filled(example.data, names)]
        command += [] if example.form else ["--header", "Content-Type: application/json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    head, _, body = done.stdout.partition("\n\n")
    status, *lines = head.splitlines()
    assert int(status.split()[1]) == example.status, f"{example}: {done.stdout}"
    headers = {line.partition(":")[0].lower() for line in lines}
    assert not example.paged or headers.issuperset(_PAGES), f"{example}: {headers}"
    return json.loads(body) if body else None


def _filled(text: str, names: Mapping[str, Any]) -> str:
    """Braces around anything else are JSON's."""
    return re.sub(r"\{(\w+)\}", lambda match: str(names[match[1]]), text)


def _check(example: Example, answer: Any) -> None:
    objects: Sequence[Any] = answer if example.listed else [answer]
    assert not example.listed or objects, example
    for each in objects:
        if example.fields:
            assert set(example.fields) <= each.keys(), f"{example}: {each}"
        for name, fields in example.within.items():
            inner = each[name] if isinstance(each[name], list) else [each[name]]
            assert inner
            assert all(set(fields) <= one.keys() for one in inner), f"{example}: {each}"
        assert "password" not in (each or ())
        for name, value in (each or {}).items():
            if name.endswith("_at") and value is not None:
                assert _MOMENT.fullmatch(value), f"{name}: {value}"


def _at(answer: Any, way: str) -> Any:
    for step in way.split("."):
        answer = answer[int(step) if step.isdecimal() else step]
    return answer


@pytest.mark.parametrize("part", ["packages/maven", "container"])
def test_what_is_documented_of_registries_is_so(place: Managed, login: Path, part: str) -> None:
    examples = MAVEN if part == "packages/maven" else CONTAINER
    group = _curl(place, login, Example("GET", f"/groups/{GROUP}/-/virtual_registries/storage"), {})
    listing = Example("GET", f"/groups/{GROUP}/-/virtual_registries/{part}/upstreams")
    declared = _curl(place, login, listing, {})[0]["id"]
    names: dict[str, Any] = {"group": group["group_id"], "declared": declared}
    names["cached"] = "com/example" if part == "packages/maven" else "library/alpine"
    cached = Example("GET", f"/virtual_registries/{part}/upstreams/{declared}/cache_entries")
    until(lambda: bool(_curl(place, login, cached, {})), "cache entry")
    for example in examples:
        answer = _curl(place, login, example, names)
        _check(example, answer)
        names |= {name: _at(answer, way) for name, way in example.told.items()}


def test_what_is_documented_of_cleanup_policies_is_so(place: Managed, login: Path) -> None:
    for example in POLICIES:
        answer = _curl(place, login, example, {"group": GROUP})
        _check(example, answer)


def test_a_file_is_downloaded_as_documented(place: Managed, login: Path) -> None:
    url = f"{place.url}/api/v4/virtual_registries/packages/maven/1/{pom('greeter')}"
    command = ["curl", "--silent", "--fail", "--header", f"@{login}", "--url", url]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert done.stdout == b"<project>greeter</project>\n"
