"""Nodes of one database have one place for files."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from tests.config.writing import REGISTRY, UPSTREAM
from virtreg.cli.commands import virtreg


def test_check_warns_of_a_database_whose_nodes_have_files_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    shared = '[storage]\ndatabase = "env:DATABASE"\n'
    environ = {"DATABASE": "postgresql://db.example.org/virtreg"}
    bucket = 'url = "s3://bucket"\n'
    for storage, warned in ((shared, True), (shared + bucket, False), ("", False)):
        file.write_text(f"{storage}{UPSTREAM}{REGISTRY}")
        result = CliRunner().invoke(virtreg, ["check", "--offline", str(file)], env=environ)
        assert result.exit_code == 0, result.output
        assert ("warning: storage.database without storage.url" in result.stderr) is warned
