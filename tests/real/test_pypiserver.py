"""pypiserver behind the proxy, and `pip install` through it into two fresh environments."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys
import venv
import zipfile
from pathlib import Path

from tests.real.running import Running, free_port, pellucid, program

WHEELS = {"alder": "1.2", "birch": "0.3.1", "cedar": "2.0"}


def make_wheel(folder: Path, name: str, version: str) -> None:
    """A small wheel, as a build tool would make it; cedar depends on the other two."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    if name == "cedar":
        metadata += "Requires-Dist: alder\nRequires-Dist: birch\n"
    files = {
        f"{name}/__init__.py": f"NAME = {name!r}\n".encode() * 500,
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for path, data in files.items()
    )
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files.items():
            wheel.writestr(path, data)


async def install(proxy: Running, environment: Path) -> dict[str, bytes]:
    """`pip install cedar` into a fresh environment; the files that came with it, by their path."""
    await asyncio.to_thread(venv.create, environment, with_pip=False)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pip", "--isolated", "--python", str(environment / "bin" / "python")),
        *("install", "--quiet", "--no-cache-dir", "--disable-pip-version-check", "--no-compile"),
        *("--index-url", f"{proxy.url}/simple/", "cedar"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return installed(environment)


def installed(environment: Path) -> dict[str, bytes]:
    [packages] = environment.glob("lib/python*/site-packages")
    return {
        str(path.relative_to(packages)): path.read_bytes()
        for name in WHEELS
        for path in sorted((packages / name).rglob("*"))
    }


async def test_the_second_environment_gets_every_file_from_the_cache(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name, version in WHEELS.items():
        make_wheel(wheels, name, version)
    port = free_port()
    command = (sys.executable, "-m", "pypiserver", "run", "--interface", "127.0.0.1", "--port", str(port))
    async with (
        program(*command, "--cache-control", "3600", str(wheels), port=port) as origin,
        pellucid(origin.url, tmp_path) as proxy,
    ):
        first = await install(proxy, tmp_path / "first")
        second = await install(proxy, tmp_path / "second")
        assert first == second
        assert len(first) == len(WHEELS)
        records = proxy.records()
    downloads = [record for record in records if record["request"]["target"].startswith("/packages/")]
    assert [record["decision"]["outcome"] for record in downloads] == ["forwarded"] * 3 + ["hit"] * 3
    by_target: dict[str, set[str]] = {}
    for record in downloads:
        by_target.setdefault(record["request"]["target"], set()).add(record["response"]["digest"])
    for target, digests in by_target.items():
        content = (wheels / Path(target).name).read_bytes()
        assert digests == {f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"}
