"""One page of figures for all the workers of a server."""

from __future__ import annotations

import os

from virtreg.config import Config
from virtreg.errors import StorageError


def count_together(config: Config) -> None:
    """Have the workers that are started from here count in one place, whichever of them is asked
    for the figures. Raises StorageError."""
    if not config.metrics.enabled or config.server.workers == 1:
        return
    from virtreg.backends.observers.metrics.files import VARIABLE, begin_folder

    try:
        os.environ[VARIABLE] = str(begin_folder(config.storage.path / "metrics"))
    except OSError as error:
        raise StorageError(
            f"cannot use {config.storage.path / 'metrics'}: {error.strerror}"
        ) from None
