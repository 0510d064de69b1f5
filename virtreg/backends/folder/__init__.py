"""A folder of this machine as an upstream."""

from virtreg.backends.folder.source import FolderSource

__all__ = ["FolderSource"]
