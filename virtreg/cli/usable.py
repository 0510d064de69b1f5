"""What commands need of a configuration file, told in click's errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from virtreg.config import Config


class Unusable(click.ClickException):
    """The configuration cannot be used; like the command line itself, that is status 2."""

    exit_code = 2


def usable(load: Callable[[], Config]) -> Config:
    """What ``load`` gives. Raises Unusable for its ConfigError."""
    from virtreg.errors import ConfigError

    try:
        return load()
    except ConfigError as error:
        raise Unusable(error.message) from None
