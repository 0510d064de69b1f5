"""Side-by-side measurements on loopback: virtreg and its peers, for files and for images."""
