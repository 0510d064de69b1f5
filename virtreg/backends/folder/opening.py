"""Opening one file below a folder, and nothing else: no link is followed, so that nobody who may
write into the folder makes the server tell what lies elsewhere."""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from virtreg.errors import NotFound

_ABSENT: Final = frozenset(
    # ELOOP and EMLINK: a link, by the name that O_NOFOLLOW gives it. ENXIO: a socket.
    {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.ENAMETOOLONG}
)
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# A pipe would wait for its other end.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_below(root: str, path: str) -> tuple[int, os.stat_result]:
    """A descriptor of the regular file at ``path``, which is relative and parted by slashes, for
    the caller to close, and what it is.

    Raises NotFound when there is no such file, and OSError for all else, the folder itself not
    being there included.
    """
    *folders, name = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in (*folders, name)):
        raise NotFound(f"{path!r} is no path of a file", path=path)
    within = os.open(root, _FOLDER)
    try:
        try:
            for part in folders:
                below = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=within)
                os.close(within)
                within = below
            descriptor = os.open(name, _FILE, dir_fd=within)
        except OSError as error:
            if error.errno in _ABSENT:
                raise NotFound(f"there is no {path}", path=path) from None
            raise
    finally:
        os.close(within)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise NotFound(f"there is no file {path}", path=path)
    return descriptor, status
