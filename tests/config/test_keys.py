from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.writing import REGISTRY, UPSTREAM, read, refusals, with_upstream


def _url(text: str) -> str:
    return f'[[upstream]]\nname = "central"\nurl = "{text}"\n{REGISTRY}'


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.org", "must begin with http:// or https://"),
        ("example.org/maven2", "must begin with http:// or https://"),
        ("https://", "has no host"),
        ("https:///maven2", "has no host"),
        ("https://u:pw@example.org", "must have no user name or password in it; put the user name"),
        ("https://u:pw/x@example.org", "is not a URL"),
        ("https://u@example.org", "must have no user name or password in it"),
        ("https://example.org/?token=pw", "must have no query"),
        ("https://example.org/?", "must have no query"),
        ("https://example.org/#x", "must have no fragment"),
        ("https://example.org/a/../b", "must have no '.' or '..' in its path"),
        ("https://example.org/a b", "has a character that a URL cannot have"),
        ("https://exämple.org", "has a character that a URL cannot have"),
        ("https://example.org\\\\x", "has a character that a URL cannot have"),
        ("https://example.org/\\r\\nX: y", "has a character that a URL cannot have"),
        ("https://example.org:99999", "is not a URL"),
        ("https://example.org:0", "must have a port from 1 to 65535"),
        ("https://[::1", "is not a URL"),
        ("https://a$b/", "has a host that is neither a name nor an address"),
        ("https://example.org/" + "a" * 240, "must be at most 255 characters, not 260"),
    ],
)
def test_a_url_that_is_not_a_plain_base_url_is_refused(
    tmp_path: Path, url: str, reason: str
) -> None:
    (line,) = refusals(tmp_path, _url(url))
    assert line.startswith(f"upstream[1].url: {reason}")
    assert "pw" not in line


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://example.org", "https://example.org"),
        ("https://example.org///", "https://example.org"),
        ("http://10.0.0.1:8080/a%20b/", "http://10.0.0.1:8080/a%20b"),
        ("http://[2001:DB8::1]/m", "http://[2001:db8::1]/m"),
    ],
)
def test_a_base_url_is_kept_in_one_spelling(tmp_path: Path, url: str, kept: str) -> None:
    assert read(tmp_path, _url(url)).registries[0].upstreams[0].url == kept


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ('max_connections = "5"', "max_connections: must be a whole number, not text"),
        ("max_connections = 5.0", "max_connections: must be a whole number, not a number"),
        ("max_connections = true", "max_connections: must be a whole number, not true or false"),
        ("max_connections = 0", "max_connections: must be from 1 to 1024"),
        ("read_timeout = true", "read_timeout: must be a number, not true or false"),
        ("read_timeout = inf", "read_timeout: must be a finite number"),
        ("connect_timeout = nan", "connect_timeout: must be a finite number"),
        ("total_timeout = -1", "total_timeout: must be more than 0"),
        ("cache_validity_hours = -0.1", "cache_validity_hours: must be 0 or more"),
        ("negative_validity_seconds = -1", "negative_validity_seconds: must be 0 or more"),
        ("metadata_cache_validity_hours = 0", "metadata_cache_validity_hours: must be more than 0"),
        ("on_error = true", "on_error: must be text, not true or false"),
        ('on_error = "go on"', 'on_error: must be "stop" or "continue"'),
        ('on_refused = "stop"', 'on_refused: must be "error" or "absent"'),
        ("proxy = 2026-01-01", "proxy: must be text, not a date or a time"),
        ('proxy = "http://proxy/path"', "proxy: must be a scheme, a host and a port"),
        ('allow_private = "10.0.0.0/8"', "allow_private: must be a list, not text"),
        ('allow_private = ["10.0.0.1/8"]', "allow_private[1]: is not a CIDR range"),
        ('allow_private = ["::/0", 5]', "allow_private[2]: must be text, not a whole number"),
        ('ca_file = "ca.pem"', "ca_file: there is no file"),
        ("headers = []", "headers: must be a table, not a list"),
        ('headers = { "X\\r" = "env:T" }', 'headers."X\\r": is not a header name'),
        ('headers = { Host = "env:T" }', "headers.Host: is a header that virtreg sets itself"),
        ("headers = { X = 5 }", "headers.X: must be text, not a whole number"),
        ('username = "a:b"\npassword = "env:T"', "username: must have no colon"),
        ('username = "ci"', "password: is missing: `username` and `password` go together"),
        ('password = "env:T"', "username: is missing: `username` and `password` go together"),
        (
            'username = "ci"\npassword = "env:T"\nbearer = "env:T"',
            "bearer: cannot stand beside `password`; an upstream takes one of them",
        ),
        (
            'bearer = "env:T"\nheaders = { authorization = "env:T" }',
            "headers.authorization: cannot stand beside `bearer`",
        ),
        (
            'credential_command = ["login"]\nheaders = { authorization = "env:T" }',
            "headers.authorization: cannot stand beside `credential_command`",
        ),
        (
            'credential_command = ["login"]\nbearer = "env:T"',
            "bearer: cannot stand beside `credential_command`, which brings its own login",
        ),
        (
            'credential_command = ["login"]\nusername = "ci"\npassword = "env:T"',
            "password: cannot stand beside `credential_command`, which brings its own login",
        ),
        ("credential_command = []", "credential_command: must begin with a program"),
        ('credential_command = ["", "x"]', "credential_command: must begin with a program, not"),
        ('credential_command = "login"', "credential_command: must be a list, not text"),
        ('credential_command = ["a", "\\u0000"]', "credential_command[2]: has a null character"),
        ('token_realms = ["https://auth.example.org"]', "token_realms[1]: must be a host such as"),
        ('token_realms = ["auth.example.org/token"]', "token_realms[1]: must be a host such as"),
        ('token_realms = ["*.example.org"]', "token_realms[1]: must be a host such as"),
        ('token_realms = ["u@example.org"]', "token_realms[1]: must be a host such as"),
        ('token_realms = ["example.org:"]', "token_realms[1]: must be a host such as"),
        ('token_realms = ["example.org#x"]', "token_realms[1]: must be a host such as"),
        ('default_namespace = "Library"', "default_namespace: must be the beginning of an image"),
        ('default_namespace = "library/"', "default_namespace: must be the beginning of an image"),
        (
            'headers = { X-A = "env:T", x-a = "env:T" }',
            "headers.x-a: stands there twice, in different spellings",
        ),
        ("login_provided = true", "login_provided: unknown key"),
        ("retries = 3", "retries: unknown key; known: name, url, username"),
        ('read_timeot = "3"', 'read_timeot: unknown key; did you mean "read_timeout"?'),
    ],
)
def test_an_upstream_key_that_cannot_be_is_refused(tmp_path: Path, line: str, refusal: str) -> None:
    (only,) = refusals(tmp_path, with_upstream(line), {"T": "token"})
    assert only.startswith(f"upstream[1].{refusal}")


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        ('[server]\nport = "8081"', "server.port: must be a whole number, not text"),
        ("[server]\nport = 65536", "server.port: must be from 0 to 65535"),
        ("[server]\nthreads = 0", "server.threads: must be from 1 to 4096"),
        (
            "[server]\nthreads = 8\nmisses = 9",
            "server.misses: must not be more than server.threads, 8",
        ),
        ("[server]\nmisses = 300", "server.misses: must not be more than server.threads, 256"),
        ('[server]\naccess_log = "false"', "server.access_log: must be true or false, not text"),
        (
            "[server]\naccess_log = 0",
            "server.access_log: must be true or false, not a whole number",
        ),
        ('[server]\nrealm = "a\\"b"', "server.realm: must have no double quote and no backslash"),
        (
            '[server]\nrealm = "a\\r\\nb"',
            "server.realm: must be 1 to 255 printable ASCII characters",
        ),
        ('[server]\nhost = ""', "server.host: must be a host name or an address"),
        (
            '[server]\nimage_prefix = "/mirrors"',
            "server.image_prefix: must be a path of",
        ),
        ("[server]\noffline = 1", "server.offline: must be true or false, not a whole number"),
        ('[storage]\npath = ""', "storage.path: must be the path of a folder"),
        ('[storage]\nurl = "bucket"', "storage.url: must be a URL such as"),
        ('[storage]\nurl = "s3://key:pw@bucket"', "storage.url: must have no credentials in it"),
        ("server = 5", "server: must be a table, not a whole number"),
    ],
)
def test_a_server_or_storage_key_that_cannot_be_is_refused(
    tmp_path: Path, lines: str, refusal: str
) -> None:
    (only,) = refusals(tmp_path, f"{lines}\n{UPSTREAM}{REGISTRY}")
    assert only.startswith(refusal)
    assert "pw" not in only


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a b", "a" * 256, "é", "a\\nb"])
def test_a_name_that_cannot_stand_in_a_url_is_refused(tmp_path: Path, name: str) -> None:
    upstream = UPSTREAM.replace("central", name)
    registry = REGISTRY.replace("main", name).replace("central", "other")
    other = UPSTREAM.replace("central", "other")
    refused = refusals(tmp_path, upstream + other + registry)
    assert [line.split(": ")[0] for line in refused] == ["registry[1].name", "upstream[1].name"]


def test_a_whole_number_may_stand_for_a_fraction(tmp_path: Path) -> None:
    config = read(tmp_path, with_upstream("read_timeout = 3"))
    assert config.registries[0].upstreams[0].read_timeout == 3


def test_a_ca_file_is_found_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("certificate")
    config = read(tmp_path, with_upstream('ca_file = "ca.pem"'))
    assert config.registries[0].upstreams[0].ca_file == str(tmp_path / "ca.pem")
