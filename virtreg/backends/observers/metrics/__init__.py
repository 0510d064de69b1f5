"""Figures for Prometheus, of one process or of several together."""
