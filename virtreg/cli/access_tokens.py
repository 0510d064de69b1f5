"""``virtreg token``: what people and machines sign in with."""

from __future__ import annotations

import json
import time

import click

from virtreg.cli.access import ROLES
from virtreg.cli.auditing import changed
from virtreg.cli.issuing import Wish, parse_scopes
from virtreg.cli.listing import Cell, as_json, show, utc
from virtreg.cli.people import on_directory
from virtreg.core.identity import Role, Token, TokenKind
from virtreg.protocols import Directory

_COLUMNS = (
    *("id", "kind", "name", "username", "group", "role", "scopes", "state"),
    *("created_at", "expires_at", "last_used_at"),
)


@click.group()
def token() -> None:
    """What people and machines sign in with."""


@token.command("create")
@click.option("--kind", type=click.Choice([kind.value for kind in TokenKind]), required=True)
@click.option("--user", metavar="NAME", help="Whose it is: personal and job tokens.")
@click.option("--group", metavar="NAME", help="What it reaches: group and deploy tokens.")
@click.option(
    "--role", type=click.Choice(ROLES), help="In the group: group tokens; by default guest."
)
@click.option(
    "--username",
    metavar="NAME",
    help="What it signs in as: group and deploy tokens; by default made up.",
)
@click.option(
    "--scopes",
    metavar="LIST",
    default="read_virtual_registry",
    show_default=True,
    help="What it is good for, with commas between.",
)
@click.option(
    "--expires",
    metavar="WHEN",
    help="As 30d, 12h, 2027-01-31 (in UTC) or never; by default 1h for job tokens, else 30d.",
)
@click.option("--name", metavar="TEXT", help="What it is for, as lists show it.")
@click.option("--json", "as_json", is_flag=True, help="Print the token's facts along, as JSON.")
@on_directory
def create_token(
    directory: Directory,
    kind: str,
    user: str | None,
    group: str | None,
    role: str | None,
    username: str | None,
    scopes: str,
    expires: str | None,
    name: str | None,
    as_json: bool,
) -> None:
    """Make a token, and print its secret: this once, alone on standard output."""
    from virtreg.backends.auth.secret_text import digest_of, new_secret

    now = time.time()
    try:
        made = Wish(
            kind=TokenKind(kind),
            name=name,
            user=user,
            group=group,
            role=None if role is None else Role[role.upper()],
            username=username,
            scopes=parse_scopes(scopes),
            expires=expires,
        ).token(now)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    secret = new_secret(made.kind).reveal()
    directory.add_token(made, digest_of(secret))
    changed("token", made.id, f"made for {made.username}")
    ends = "never ends" if made.expires_at is None else f"ends at {utc(made.expires_at)}"
    click.echo(
        f"{made.kind} token {made.id} signs in as {made.username} and {ends}; "
        "its secret is not shown again",
        err=True,
    )
    click.echo(json.dumps({**_row(made, now), "secret": secret}, indent=2) if as_json else secret)


@token.command("list")
@click.option("--user", metavar="NAME", help="Only of this user.")
@click.option("--group", metavar="NAME", help="Only for this group.")
@as_json
@on_directory
def list_tokens(directory: Directory, user: str | None, group: str | None, as_json: bool) -> None:
    """List tokens, the newest first, without their secrets."""
    from virtreg.errors import NotFound

    if user is not None and directory.user(user) is None:
        raise NotFound(f"there is no user {user!r}")
    if group is not None and directory.group(group) is None:
        raise NotFound(f"there is no group {group!r}")
    now = time.time()
    rows = [
        _row(each, now)
        for each in directory.tokens()
        if user is None or (each.group is None and each.username == user)
        if group is None or each.group == group
    ]
    show(_COLUMNS, rows, as_json=as_json)


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@on_directory
def revoke_token(directory: Directory, token_id: str) -> None:
    """Have the token with this ID refused from now on.

    Lists show the IDs. A secret has no place on a command line, where every account of the machine
    can read it.
    """
    from virtreg.backends.auth.secret_text import digest_of, kind_of

    if kind_of(token_id) is not None:
        # Not repeated: what is printed may be kept.
        found = directory.token(digest_of(token_id))
        of = "of no token that is known here" if found is None else f"of the token {found.id}"
        raise click.UsageError(
            f"ID: that is a secret, {of}; revoke tokens by their IDs, which `virtreg token list`"
            " shows"
        )
    directory.revoke_token(token_id, time.time())
    changed("token", token_id, "revoked")
    click.echo(f"token {token_id} is revoked", err=True)


def _row(token: Token, now: float) -> dict[str, Cell]:
    return {
        "id": token.id,
        "kind": token.kind.value,
        "name": token.name,
        "username": token.username,
        "group": token.group,
        "role": None if token.role is None else token.role.name.lower(),
        "scopes": sorted(scope.value for scope in token.scopes),
        "state": _state(token, now),
        "created_at": utc(token.created_at),
        "expires_at": utc(token.expires_at),
        "revoked_at": utc(token.revoked_at),
        "last_used_at": utc(token.last_used_at),
    }


def _state(token: Token, now: float) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "good" if token.good(now) else "expired"
