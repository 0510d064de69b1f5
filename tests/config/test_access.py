from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.writing import REGISTRY, UPSTREAM, read, refusals
from virtreg.config import AccessConfig, LimitsConfig


def test_access_is_off_and_nothing_is_limited_unless_told(tmp_path: Path) -> None:
    config = read(tmp_path, UPSTREAM + REGISTRY)
    assert config.access == AccessConfig()
    assert not config.access.enabled
    assert config.limits is None
    (registry,) = config.registries
    assert (registry.group, registry.public) == ("default", False)


def test_every_key_of_access_reaches_its_value(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        """
        [server]
        external_url = "HTTPS://Packages.Example.org/deep/"
        allowed_hosts = ["Packages.example.org", "localhost:8081", "[::1]"]
        trusted_proxies = ["10.0.0.0/8", "::1"]
        [access]
        enabled = true
        token_path = "/auth/token"
        service = "packages.example.org"
        grant_seconds = 60
        [limits]
        requests = 10
        """
        + UPSTREAM
        + REGISTRY
        + 'group = "builds"\npublic = true\n',
    )
    assert config.server.external_url == "https://packages.example.org/deep"
    assert config.server.trusted_proxies == ("10.0.0.0/8", "::1/128")
    assert config.server.allowed_hosts == ("packages.example.org", "localhost:8081", "[::1]")
    assert config.access == AccessConfig(True, "/auth/token", "packages.example.org", 60)
    assert config.limits == LimitsConfig(requests=10)
    (registry,) = config.registries
    assert (registry.group, registry.public) == ("builds", True)


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        ('[access]\nenabled = "yes"', "access.enabled: must be true or false, not text"),
        ('[access]\ntoken_path = "jwt/auth"', "access.token_path: must be a path such as"),
        ('[access]\ntoken_path = "/jwt/../auth"', "access.token_path: must be a path such as"),
        ('[access]\ntoken_path = "/jwt?x"', "access.token_path: must be a path such as"),
        ('[access]\ntoken_path = "/v2"', "access.token_path: is a path that registries or"),
        ('[access]\ntoken_path = "/v2/auth"', "access.token_path: is a path that registries or"),
        ('[access]\nservice = "a\\"b"', "access.service: must be 1 to 255 letters"),
        ('[access]\nservice = ""', "access.service: must be 1 to 255 letters"),
        ("[access]\ngrant_seconds = 59", "access.grant_seconds: must be from 60 to 86400"),
        ("[limits]\nrequests = -1", "limits.requests: must be from 0 to"),
        ("[limits]\nseconds = 0", "limits.seconds: must be from 1 to 3600"),
        ("[limits]\nfailed_login = 5", "limits.failed_login: unknown key; did you mean"),
        ("limits = 5", "limits: must be a table, not a whole number"),
        ('[server]\nexternal_url = "vr.example"', "server.external_url: must begin with http"),
        ('[server]\ntrusted_proxies = ["proxy"]', "server.trusted_proxies[1]: is not a CIDR range"),
        ('[server]\nallowed_hosts = ["a/b"]', "server.allowed_hosts[1]: must be a host such as"),
    ],
)
def test_a_key_of_access_that_cannot_be_is_refused(
    tmp_path: Path, lines: str, refusal: str
) -> None:
    (only,) = refusals(tmp_path, f"{lines}\n{UPSTREAM}{REGISTRY}")
    assert only.startswith(refusal)


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ('group = "a/b"', "registry[1].group: must be 1 to 255 letters"),
        ('public = "yes"', "registry[1].public: must be true or false, not text"),
    ],
)
def test_a_registry_is_of_one_group(tmp_path: Path, line: str, refusal: str) -> None:
    (only,) = refusals(tmp_path, f"{UPSTREAM}{REGISTRY}{line}\n")
    assert only.startswith(refusal)
