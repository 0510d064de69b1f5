"""Side-by-side measurements on loopback: virtreg, nginx as a cache, nginx as a file server."""
