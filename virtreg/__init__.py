"""virtreg: one URL in front of many package and image registries."""
