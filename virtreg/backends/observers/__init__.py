"""Observers that come with the package."""
