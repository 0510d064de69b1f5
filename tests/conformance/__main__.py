from __future__ import annotations

from tests.conformance.page import PAGE, render

if __name__ == "__main__":
    PAGE.write_text(render())
