"""The ``virtreg`` command. Importing this is free; the command needs the extra ``server``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit."""
    try:
        from virtreg.cli.commands import virtreg
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.exit('the command needs the extra "server": pip install "virtreg[server]"')
    virtreg(prog_name="virtreg")
