"""Where programs are installed, and what they say of their version."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from proxy.commands.comparing.contenders.contract import Found
from proxy.commands.comparing.errors import ComparisonError

_ADMINISTRATORS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where servers are, and a plain user's PATH often does not lead."""

_SCRIPTS = Path(sys.prefix, "bin")
SYSTEM = "the system"


def find(program: str, flag: str, pattern: str, wheel: str = "") -> Found:
    """A program of the system's, or else of the wheel. Raises ComparisonError where it is in neither.

    `pattern` finds the version, as its first group, in what the program prints when it is given `flag`.
    """
    path = in_system(program)
    source = SYSTEM
    if path is None and wheel:
        path, source = in_wheel(program, wheel), f"the wheel {wheel}"
    if path is None:
        or_wheel = f", and the wheel {wheel} isn't either" if wheel else ""
        raise ComparisonError(f"{program} is not installed{or_wheel}")
    return Found(path, version(path, flag, pattern), source)


def in_system(program: str) -> str | None:
    """Its path, outside of this Python's own environment."""
    places = [*os.environ.get("PATH", "").split(os.pathsep), *_ADMINISTRATORS]
    others = [place for place in places if place and Path(place) != _SCRIPTS]
    return shutil.which(program, path=os.pathsep.join(others))


def in_wheel(program: str, wheel: str) -> str | None:
    """Its path in this Python's environment, if the wheel is installed: a script, or in its package."""
    try:
        metadata.version(wheel)
    except metadata.PackageNotFoundError:
        return None
    script = _SCRIPTS / program
    if script.exists():
        return str(script)
    package = importlib.util.find_spec(wheel.replace("-", "_"))
    folders = package.submodule_search_locations if package else None
    for folder in folders or ():
        for path in sorted(Path(folder).rglob(program)):
            if path.is_file() and os.access(path, os.X_OK):
                return str(path)
    return None


def version(path: str, flag: str, pattern: str) -> str:
    """What it says of its version. Raises ComparisonError where it can't even be run for that."""
    try:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        said = subprocess.run(
            [path, flag],
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ComparisonError(f"{path} can't be run", evidence=str(error)) from error
    match = re.search(pattern, said.stdout + said.stderr)
    return match[1] if match else "unknown version"
