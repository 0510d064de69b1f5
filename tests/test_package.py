from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

import virtreg

HEAVY = {"alembic", "cattrs", "click", "fsspec", "granian", "requests", "rich", "sqlalchemy"}
HEAVY |= {"sqlite3", "urllib3", "werkzeug"}


def _loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_importing_the_package_costs_none_of_its_dependencies() -> None:
    loaded = _loaded_by("import virtreg")
    assert "virtreg" in loaded
    assert not loaded & HEAVY


def test_every_public_name_is_there_and_no_other() -> None:
    assert virtreg.__all__ == sorted(virtreg.__all__)
    assert set(virtreg.__all__) == {
        "Assembly",
        "Config",
        "ConfigError",
        "Forbidden",
        "IntegrityError",
        "InvalidRequest",
        "NotFound",
        "RegistrySpec",
        "Route",
        "Secret",
        "ServerConfig",
        "StorageConfig",
        "StorageError",
        "Unauthenticated",
        "UpstreamError",
        "UpstreamSpec",
        "VirtregError",
        "build",
        "default_config",
        "load",
    }
    assert [name for name in virtreg.__all__ if getattr(virtreg, name) is None] == []
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = virtreg.nothing


def test_what_decides_and_what_drives_names_no_format() -> None:
    named = re.compile(r"maven|gradle|docker|container|manifest|snapshot", re.IGNORECASE)
    package = Path(virtreg.__file__).parent
    found = {
        f"{file.relative_to(package)}:{number}"
        for part in ("core", "service")
        for file in (package / part).rglob("*.py")
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if named.search(line)
    }
    assert found == set()


def test_the_version_is_the_one_of_the_distribution() -> None:
    assert virtreg.__version__ == importlib.metadata.version("virtreg")


def test_the_contracts_need_attrs_alone() -> None:
    loaded = _loaded_by("import virtreg.protocols, virtreg.events, virtreg.errors")
    assert "attr" in loaded
    assert not loaded & HEAVY
