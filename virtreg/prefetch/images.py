"""Image references: ``name[:tag][@digest]``."""

from __future__ import annotations


def manifest_path(image: str) -> str:
    """The path of an image's manifest below a registry's URL. The tag is ``latest`` where neither
    is given, and does not count beside a digest. Nothing is checked: the format does that.
    """
    name, _, digest = image.partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return f"{head}{slash}{last}/manifests/{digest or tag or 'latest'}"
