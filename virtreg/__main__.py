"""``python -m virtreg``."""

from virtreg.cli import main

if __name__ == "__main__":
    main()
