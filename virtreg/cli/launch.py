"""What a server process is told: the file and the options that override it."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import evolve, frozen

from virtreg.config import Config, default_config, load


@frozen
class Launch:
    """Everything needed to load the configuration again in the worker process.

    Secrets are never sent from process to process: each reads them for itself.
    """

    file: Path | None = None
    host: str | None = None
    port: int | None = None
    data: Path | None = None
    offline: bool = False
    """True makes it so; False leaves it to the file."""

    def config(self, *, secrets: bool = True, database: bool = False) -> Config:
        """The configuration with the options applied. Raises ConfigError, also for secrets that
        cannot be read, unless none is to be, or only the URL of the ``database``."""
        if self.file is None:
            config = default_config((self.data or Path("virtreg-data")).absolute())
        else:
            data = None if self.data is None else self.data.absolute()
            environ = os.environ if secrets or database else None
            config = load(self.file, environ, data=data, every_secret=secrets)
        server = evolve(
            config.server,
            host=config.server.host if self.host is None else self.host,
            port=config.server.port if self.port is None else self.port,
            offline=config.server.offline or self.offline,
        )
        return evolve(config, server=server)
