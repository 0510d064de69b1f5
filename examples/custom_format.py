"""A format of one's own: plain files, the simplest thing a virtual registry can serve.

Run it to see what it decides: ``python examples/custom_format.py``.
"""

# ruff: noqa: ARG002  (a format this plain decides without looking)

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from virtreg.errors import InvalidRequest, VirtregError
from virtreg.formats import named
from virtreg.model import Examination, Expectation, Headers, Problem, Representation, Route


class FilesFormat:
    """Any file at any path; nothing is merged, nothing is known about the content."""

    name = "files"

    def route(self, path: str) -> Route:
        if not path.isprintable() or "\\" in path:
            raise InvalidRequest("the path has characters that no file name needs")
        if {"", ".", ".."} & set(path.split("/")):
            raise InvalidRequest("the path has an empty, '.' or '..' segment")
        return Route(path)

    def expect(self, route: Route) -> Expectation:
        return Expectation(max_bytes=10 * 1024**3)

    def examine(self, route: Route, headers: Mapping[str, str], head: bytes) -> Examination:
        return Examination()

    def merge(
        self, route: Route, documents: Sequence[tuple[str, bytes]]
    ) -> tuple[bytes, list[str]]:
        raise InvalidRequest(f"{route.path} is a file and never merged")

    def complete(self, route: Route) -> bool:
        return False

    def headers(self, route: Route, representation: Representation) -> Headers:
        return (
            ("Content-Type", "application/octet-stream"),
            ("X-Content-Type-Options", "nosniff"),
        )

    def problem(self, error: VirtregError) -> Problem:
        headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
        if error.retry_after is not None:
            headers.append(("Retry-After", str(max(1, round(error.retry_after)))))
        body = json.dumps({"code": error.code, "message": error.message})
        return Problem(error.status, tuple(headers), body.encode())

    def challenge(self, realm: str) -> str:
        safe = "".join(char for char in realm if char.isalnum() and char.isascii())
        return f'Basic realm="{safe}"'


def main() -> None:
    files = named("files", custom=[FilesFormat()])
    print(files.route("reports/2024/summary.pdf"))
    try:
        files.route("reports/../../etc/passwd")
    except InvalidRequest as error:
        print(files.problem(error))


if __name__ == "__main__":
    main()
