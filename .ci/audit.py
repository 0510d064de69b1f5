"""Fails on known vulnerabilities of what is installed; says so loudly when it could not look."""

# ruff: noqa: S603, T201
from __future__ import annotations

import json
import subprocess
import sys

COMMAND = (
    sys.executable,
    *("-m", "pip_audit", "--format", "json", "--skip-editable", "--progress-spinner", "off"),
)


def main() -> int:
    ran = subprocess.run(COMMAND, check=False, capture_output=True, text=True)
    try:
        packages = json.loads(ran.stdout)["dependencies"]
    except ValueError:
        print(f"WARNING: no advisories were looked up: {ran.stderr.strip()[-500:]}")
        return 0
    vulnerable = [package for package in packages if package.get("vulns")]
    for package in vulnerable:
        for advisory in package["vulns"]:
            fixed = ", ".join(advisory["fix_versions"]) or "no release"
            print(f"{package['name']} {package['version']}: {advisory['id']}, fixed in {fixed}")
    asked = [package for package in packages if package["name"] != "virtreg"]
    unknown = [package["name"] for package in asked if "skip_reason" in package]
    if len(unknown) == len(asked):
        print("WARNING: the advisory service knows none of the packages; nothing was audited")
    elif unknown:
        print(f"WARNING: not audited: {', '.join(unknown)}")
    return 1 if vulnerable else 0


if __name__ == "__main__":
    sys.exit(main())
