"""Figures for Prometheus, of one process or of several together."""

from __future__ import annotations

from virtreg.backends.observers.metrics.exposition import FilesOfProcesses, Page
from virtreg.backends.observers.metrics.figures import Figures, Reading, Readings

__all__ = ["Figures", "FilesOfProcesses", "Page", "Reading", "Readings"]
