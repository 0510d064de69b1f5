from __future__ import annotations

import subprocess
import sys

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


def test_the_contracts_need_attrs_alone() -> None:
    loaded = _loaded_by("import virtreg.protocols, virtreg.events, virtreg.errors")
    assert "attr" in loaded
    assert not loaded & HEAVY
