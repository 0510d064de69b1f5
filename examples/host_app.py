"""Virtual registries inside a program of one's own: no server, no HTTP of ours.

    python examples/host_app.py org/slf4j/slf4j-api/2.0.16/slf4j-api-2.0.16.pom
    python examples/host_app.py --upstream https://repo.example.org/m2 com/example/app/1/app-1.jar

Run it twice: the second answer comes from the cache.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from virtreg import Config, RegistrySpec, StorageConfig, UpstreamSpec, VirtregError, build
from virtreg.service.registry import PullThroughRegistry

CENTRAL = "https://repo1.maven.org/maven2"


def main() -> int:
    options = _options()
    upstreams = tuple(
        UpstreamSpec(name=f"upstream-{at}", url=url, allow_private=tuple(options.allow_private))
        for at, url in enumerate(options.upstream or [CENTRAL], start=1)
    )
    registry = RegistrySpec(id=1, name="example", format="maven", upstreams=upstreams)
    assembly = build(Config(registries=(registry,), storage=StorageConfig(path=options.cache)))
    try:
        download(assembly.registries["example"], options.path, options.output)
    except VirtregError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)
        for answer in error.answers:
            print(f"  {answer.upstream}: {answer.detail}", file=sys.stderr)
        return 1
    finally:
        assembly.close()
    return 0


def download(registry: PullThroughRegistry, path: str, folder: Path) -> None:
    """Resolve one path, write its bytes to ``folder``, and print what is known about them."""
    resolution = registry.resolve(registry.format.route(path))
    target = folder / Path(resolution.route.path).name
    part = target.with_name(f"{target.name}.part")
    with resolution.body as body, part.open("wb") as file:
        for piece in body.read():  # a bad download raises before its last piece
            file.write(piece)
    part.replace(target)
    print(f"{resolution.origin}: {target.stat().st_size} bytes in {target}")
    for algorithm, digest in resolution.proved().items():
        print(f"{algorithm} {digest}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fetch one file through a virtual registry.")
    parser.add_argument("path", help="such as org/slf4j/slf4j-api/2.0.16/slf4j-api-2.0.16.pom")
    parser.add_argument("--upstream", action="append", help="base URL; repeat for more, best first")
    parser.add_argument("--allow-private", action="append", default=[], metavar="CIDR")
    parser.add_argument("--cache", type=Path, default=Path("virtreg-data"))
    parser.add_argument("--output", type=Path, default=Path())
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
