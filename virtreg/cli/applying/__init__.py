"""``virtreg apply``: from what a file says to what is stored."""
