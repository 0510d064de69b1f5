"""The ``virtreg`` command. Importing this is free; the command needs the extra ``server``."""

from __future__ import annotations

import sys

_EXTRA = ("click", "granian", "rich")
"""What the extra brings. A host may have some of it for its own reasons."""


def main() -> None:
    """Run the command line and exit."""
    try:
        from virtreg.cli.commands import virtreg

        virtreg(prog_name="virtreg")
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in _EXTRA:
            raise
        sys.exit('the command needs the extra "server": pip install "virtreg[server]"')
