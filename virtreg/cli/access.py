"""``virtreg user``, ``group`` and ``member``: who there is, and what they may do where."""

from __future__ import annotations

import click
from attrs import evolve

from virtreg.cli.auditing import changed
from virtreg.cli.listing import Cell, as_json, show
from virtreg.cli.people import on_directory
from virtreg.core.identity import Role, User
from virtreg.protocols import Directory

ROLES = [role.name.lower() for role in Role]


@click.group()
def user() -> None:
    """Who may hold tokens."""


@user.command("add")
@click.argument("name")
@click.option("--administrator", is_flag=True, help="May do everything, in every group.")
@on_directory(new=True)
def add_user(directory: Directory, name: str, administrator: bool) -> None:
    """Add the user NAME."""
    from virtreg.errors import Conflict

    if directory.user(name) is not None:
        raise Conflict(f"there is a user {name!r} already")
    directory.save_user(User(name, administrator=administrator))
    changed("user", name, "added as an administrator" if administrator else "added")
    _say(f"user {name!r} is added")


@user.command("list")
@as_json
@on_directory
def list_users(directory: Directory, as_json: bool) -> None:
    """List the users with their roles."""
    columns = ("name", "administrator", "blocked", "roles")
    rows: list[dict[str, Cell]] = [
        {
            "name": each.name,
            "administrator": each.administrator,
            "blocked": each.blocked,
            "roles": {
                group: role.name.lower() for group, role in directory.roles(each.name).items()
            },
        }
        for each in directory.users()
    ]
    show(columns, rows, as_json=as_json)


@user.command("remove")
@click.argument("name")
@on_directory
def remove_user(directory: Directory, name: str) -> None:
    """Remove the user NAME, with memberships and tokens."""
    directory.remove_user(name)
    changed("user", name, "removed")
    _say(f"user {name!r} is removed")


@user.command("block")
@click.argument("name")
@on_directory
def block_user(directory: Directory, name: str) -> None:
    """Have every token of the user NAME refused."""
    _block(directory, name, blocked=True)


@user.command("unblock")
@click.argument("name")
@on_directory
def unblock_user(directory: Directory, name: str) -> None:
    """Let the tokens of the user NAME be good again."""
    _block(directory, name, blocked=False)


@click.group()
def group() -> None:
    """What owns registries."""


@group.command("add")
@click.argument("name")
@on_directory(new=True)
def add_group(directory: Directory, name: str) -> None:
    """Add the group NAME."""
    directory.add_group(name)
    changed("group", name, "added")
    _say(f"group {name!r} is added")


@group.command("list")
@as_json
@on_directory
def list_groups(directory: Directory, as_json: bool) -> None:
    """List the groups."""
    columns = ("id", "name", "enabled")
    rows: list[dict[str, Cell]] = [
        {"id": each.id, "name": each.name, "enabled": each.enabled} for each in directory.groups()
    ]
    show(columns, rows, as_json=as_json)


@group.command("switch")
@click.argument("name")
@click.argument("state", metavar="on|off", type=click.Choice(["on", "off"]))
@on_directory
def switch_group(directory: Directory, name: str, state: str) -> None:
    """Turn the registries of the group NAME on or off."""
    directory.switch_group(name, state == "on")
    changed("group", name, f"turned {state}")
    _say(f"group {name!r} is {state}")


@click.group()
def member() -> None:
    """Which role users have in groups."""


@member.command("set")
@click.argument("group")
@click.argument("user")
@click.argument("role", metavar="ROLE", type=click.Choice(ROLES))
@on_directory
def set_member(directory: Directory, group: str, user: str, role: str) -> None:
    """Give USER the ROLE in GROUP, in place of the one there was.

    Roles are guest, reporter, developer, maintainer and owner.
    """
    directory.set_role(group, user, Role[role.upper()])
    changed("member", f"{group}/{user}", f"made {role}")
    _say(f"user {user!r} is {role} in group {group!r}")


@member.command("remove")
@click.argument("group")
@click.argument("user")
@on_directory
def remove_member(directory: Directory, group: str, user: str) -> None:
    """End the membership of USER in GROUP."""
    from virtreg.errors import NotFound

    if group not in directory.roles(user):
        raise NotFound(f"user {user!r} is no member of group {group!r}")
    directory.set_role(group, user, None)
    changed("member", f"{group}/{user}", "removed")
    _say(f"user {user!r} is no member of group {group!r} any more")


@member.command("list")
@click.argument("group")
@as_json
@on_directory
def list_members(directory: Directory, group: str, as_json: bool) -> None:
    """List the members of GROUP."""
    from virtreg.errors import NotFound

    if directory.group(group) is None:
        raise NotFound(f"there is no group {group!r}")
    rows: list[dict[str, Cell]] = [
        {"user": name, "role": role.name.lower()} for name, role in directory.members(group).items()
    ]
    show(("user", "role"), rows, as_json=as_json)


def _block(directory: Directory, name: str, *, blocked: bool) -> None:
    from virtreg.errors import NotFound

    found = directory.user(name)
    if found is None:
        raise NotFound(f"there is no user {name!r}")
    directory.save_user(evolve(found, blocked=blocked))
    changed("user", name, "blocked" if blocked else "unblocked")
    _say(f"user {name!r} is {'' if blocked else 'not '}blocked")


def _say(line: str) -> None:
    click.echo(line, err=True)
