"""``python -m benchmarks.soak``: mixed traffic at full load while things break."""

from __future__ import annotations

import argparse
import json
import random
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from attrs import define, field

from benchmarks.soaking.asking import Questions
from benchmarks.soaking.client import Client, Judge
from benchmarks.soaking.crowd import Crowd, crowd
from benchmarks.soaking.schedule import CYCLE, troubled
from benchmarks.soaking.site import Site, site
from benchmarks.soaking.trouble import Troubles, workers_of
from benchmarks.soaking.truth import World
from benchmarks.soaking.watching import Watch, folder_bytes

_ABOUT = """Pull files and images through virtreg without a pause, while upstreams misbehave and
connections, processes, databases and buckets break for 18 of every 30 seconds.

Prints a line every 15 seconds. The last column is each process: resident memory, descriptors,
threads. Exit status 1: wrong bytes, an answer that hung, 404 or 500 where something is, something
that did not come back, or memory, descriptors or threads that grew over the second half. Root is
needed for PostgreSQL where only its own account may run it. It takes up to 3 GB of disk."""

_EACH = 15.0
_OFTEN = 3.0
_HEALED = 60.0
_DISK = 3_000_000_000


@define
class Soak:
    """One run."""

    site: Site
    crowd: Crowd
    world: World
    seconds: float
    troubles: Troubles
    watch: Watch = field(factory=Watch)
    findings: list[str] = field(factory=list)
    largest: int = 0
    """Bytes on the disk at most."""
    _before: Counter[str] = field(factory=Counter)
    _shown: int = 0

    def run(self) -> None:
        begun = time.monotonic()
        half = begun + self.seconds / 2
        breaking = threading.Thread(target=self._break, args=(begun,), daemon=True)
        breaking.start()
        told = begun
        while (now := time.monotonic()) < begun + self.seconds:
            self.troubles.spare = now >= half - CYCLE
            looked = self._look()
            if now >= told + _EACH:
                told = now
                self._tell(now - begun, looked)
            time.sleep(_OFTEN)
        breaking.join()
        self.findings += self.watch.growing(half)
        self.crowd.end()
        self._look()
        self.findings += self._healed()
        self._summary(half)

    def _break(self, begun: float) -> None:
        """Runs in a thread of its own until all is over, and mended."""
        try:
            while time.monotonic() < begun + self.seconds:
                at = time.time() - self.world.epoch
                if troubled(at) and at % CYCLE < CYCLE / 2:
                    self.troubles.strike()
                elif not troubled(at):
                    self.troubles.mend()
                time.sleep(self.troubles.chance.uniform(2, 6) if troubled(at) else 0.2)
        except Exception as error:  # noqa: BLE001 - told at the end
            self.findings.append(f"breaking things broke: {error!r}")
        finally:
            self.troubles.mend()

    def _look(self) -> list[str]:
        told = []
        for number, node in enumerate(self.site.nodes):
            try:
                told.append(self.watch.look(f"n{number}", workers_of(node)))
            except (AssertionError, OSError):
                told.append(f"n{number} gone")
        return told

    def _tell(self, at: float, looked: list[str]) -> None:
        counts = self.crowd.so_far()
        new = counts - self._before
        self._before = counts
        self.site.vacuum()
        held = folder_bytes(self.site.folder)
        self.largest = max(self.largest, held)
        errors = {
            name.removeprefix("error: "): number
            for name, number in new.items()
            if name.startswith(("error", "no answer"))
        }
        print(
            f"{at:5.0f} s  {new['requests']:6} requests  {new['bytes'] / 1e6:6.0f} MB"
            f"  wrong {counts['finding: wrong bytes']}  hung {counts['hung']}"
            f"  disk {held / 1e6:.0f} MB  | {'  '.join(looked)} | {_listed(errors)}",
            flush=True,
        )
        for finding in self.crowd.findings[self._shown : 20]:
            print(f"         {finding}", flush=True)
        self._shown = len(self.crowd.findings)

    def _healed(self) -> list[str]:
        """Everything there is for ever has to be served by every node, now that nothing is
        broken."""
        judge = Judge(self.world)
        hosts = [node.host for node in self.site.nodes]
        client = Client(judge, hosts, random.Random(0))
        deadline = time.monotonic() + _HEALED
        try:
            for host in hosts:
                for question in Questions(self.world, random.Random(0)).every():
                    while client.ask(question, host) is None:
                        if time.monotonic() > deadline:
                            return [f"not served by {host} when all was well: {question.path}"]
                        time.sleep(0.2)
        finally:
            client.close()
        return judge.findings

    def _summary(self, half: float) -> None:
        counts = self.crowd.so_far()
        print(f"\nbroken: {_listed(self.troubles.done)}")
        print(f"moods of upstreams: {_listed(self.site.moods())}")
        print("\nanswers:")
        for name, number in sorted(counts.items()):
            print(f"  {number:12}  {name}")
        print(f"\nmost on the disk: {self.largest / 1e6:.0f} MB")
        print("\nover the second half:")
        for line in self.watch.trends(half):
            print(f"  {line}")
        if self.largest > _DISK:
            self.findings.append(f"{self.largest} bytes on the disk")
        self.findings += self.crowd.findings


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "none"


def main() -> None:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    epoch = time.time()
    with (
        tempfile.TemporaryDirectory(dir=options.folder, prefix="virtreg-soak-") as folder,
        site(Path(folder), epoch, shared=options.shared) as place,
        crowd() as clients,
    ):
        clients.start(options.clients, options.threads, [n.host for n in place.nodes], epoch)
        troubles = Troubles(place, random.Random(options.seed))
        soak = Soak(place, clients, World(epoch), options.seconds, troubles)
        soak.run()
        logged = Counter(line for node in place.nodes for line in _logged(node.log))
    print("\nlogged as errors:")
    for line, number in logged.most_common(12):
        print(f"  {number:12}  {line}")
    for finding in soak.findings[:50]:
        print(f"FOUND: {finding}")
    print("not sound" if soak.findings else "sound")
    sys.exit(1 if soak.findings else 0)


def _logged(log: Path) -> Iterator[str]:
    """Of each error in a log, who told it, and the end of what was told."""
    for line in log.read_text(errors="replace").splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            yield line[:150]
        else:
            if told.get("level") in ("error", "critical"):
                last = str(told.get("exception") or told["message"]).strip().splitlines()[-1]
                yield f"{told['logger']}: {re.sub(r'[0-9a-f]{8,}|[0-9]+', 'N', last)[:150]}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument(
        "--shared", action="store_true", help="two nodes over PostgreSQL and a bucket"
    )
    parser.add_argument("--clients", type=int, default=3, metavar="N", help="processes")
    parser.add_argument("--threads", type=int, default=8, metavar="N", help="of each client")
    parser.add_argument("--seed", type=int, default=0, help="of what breaks")
    parser.add_argument("--folder", type=Path, help="where files go (default: temporary)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
