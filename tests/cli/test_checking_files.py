"""``virtreg check`` asks the place of the files for what a server will."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.backends.store.bucket import moto_bucket
from virtreg.backends.store.objects import ObjectStore
from virtreg.cli.commands import virtreg

_FILE = """
[storage]
url = "{url}"
[[upstream]]
name = "shelf"
folder = "shelf"
[[registry]]
name = "main"
format = "maven"
upstreams = ["shelf"]
"""


@pytest.fixture(scope="module")
def access() -> Iterator[dict[str, Any]]:
    with moto_bucket() as access:
        yield access


def _check(folder: Path, url: str, access: dict[str, Any], *options: str) -> tuple[int, str]:
    environment = {
        "AWS_ACCESS_KEY_ID": access["key"],
        "AWS_SECRET_ACCESS_KEY": access["secret"],
        "AWS_ENDPOINT_URL_S3": access["client_kwargs"]["endpoint_url"],
        "AWS_REGION": "us-east-1",
    }
    (folder / "shelf").mkdir(exist_ok=True)
    (folder / "server.toml").write_text(_FILE.format(url=url))
    result = CliRunner().invoke(
        virtreg, ["check", *options, str(folder / "server.toml")], env=environment
    )
    return result.exit_code, result.output


def test_a_bucket_that_can_be_used_is_left_as_it_was(
    tmp_path: Path, access: dict[str, Any]
) -> None:
    status, output = _check(tmp_path, "s3://bucket/prefix", access)
    assert status == 0, output
    assert "ok: files at s3://bucket/prefix: written, read and deleted" in output
    assert list(ObjectStore("s3://bucket/prefix", **access).list()) == []


def test_a_bucket_that_is_not_there_is_a_problem(tmp_path: Path, access: dict[str, Any]) -> None:
    status, output = _check(tmp_path, "s3://buckett/prefix", access)
    assert status == 1
    assert "problem: files at s3://buckett/prefix: cannot put" in output
    assert "the bucket is not there" in output


def test_offline_no_bucket_is_asked(tmp_path: Path, access: dict[str, Any]) -> None:
    status, output = _check(tmp_path, "s3://buckett/prefix", access, "--offline")
    assert status == 0, output
    assert "files at" not in output
