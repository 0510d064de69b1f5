"""What may be said of an upstream, as options: named as in configuration files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS: Final = (
    click.option("--description", metavar="TEXT"),
    click.option(
        "--cache-validity-hours",
        metavar="N",
        type=int,
        help="How long a cached file is served unchecked; 0: for good.",
    ),
    click.option(
        "--metadata-cache-validity-hours",
        metavar="N",
        type=int,
        help="How long a cached maven-metadata.xml is.",
    ),
    click.option(
        "--minimum-release-age-hours",
        metavar="N",
        type=float,
        help="Releases younger than that are as if they were not there.",
    ),
    click.option(
        "--on-error",
        type=click.Choice(["stop", "continue"]),
        help="When it is broken: fail, or go on to the next.",
    ),
    click.option(
        "--on-refused", type=click.Choice(["error", "absent"]), help="What 401 and 403 of it are."
    ),
    click.option(
        "--on-missing",
        type=click.Choice(["keep", "drop"]),
        help="Cached files that it has no more.",
    ),
    click.option(
        "--negative-validity-seconds",
        metavar="N",
        type=float,
        help="How long it is believed not to have a file.",
    ),
    click.option("--connect-timeout", metavar="N", type=float, help="Seconds."),
    click.option("--read-timeout", metavar="N", type=float, help="Seconds."),
    click.option("--max-connections", metavar="N", type=int, help="At one time."),
)


def settings(command: Command) -> Command:
    """Give a command an option for each of them; None for what is not said."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
