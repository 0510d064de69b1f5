"""A process that leads one download until it is killed: ``python -m tests.service.leader FOLDER
STALL_AT``. It says ``ready`` once that many bytes have come in and no more come.

The fake upstream's body is ``LARGE``.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from tests.service.hub import FILE, LARGE, Hub, fake
from virtreg.service.node import Node
from virtreg.testing.gate import Gate


def main() -> None:
    folder, at = Path(sys.argv[1]), int(sys.argv[2])
    stall = Gate()
    upstream = fake("a")
    upstream.put(FILE, LARGE, stall=stall, cut_after=at)
    hub = Hub(folder, [upstream], others=Node(folder / "flights"))
    hub.resolve(FILE)
    stall.await_arrival()
    print("ready", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
