"""What an answer depends on beside the request and what is stored: the program, and how it is set."""

from __future__ import annotations

import os
import sys
from hashlib import blake2b
from pathlib import Path
from time import time

import msgspec

from proxy.caching.policy import Policy
from proxy.server.clients.forwarding import Forwarding
from proxy.server.settings import ServerSettings
from proxy.visibility.redaction import Redaction

_PROGRAM = Path(__file__).parents[2]
_NOT_ASKED = "commands"
"""Nothing in that folder is ever asked about an answer."""

_LOADED = time()


def fingerprint(
    policy: Policy, forwarding: Forwarding, redaction: Redaction, settings: ServerSettings
) -> bytes | None:
    """32 bytes that are the same only where the same would be answered, and recorded, in the same way.

    None where nobody knows: the sources can't be read, or have changed since they were loaded. The key of
    `redaction` is no part of it: what shows a digest that was made with it is not to be kept.
    """
    program = _program(_PROGRAM)
    if program is None:
        return None
    digest = blake2b(program, digest_size=32)
    for said in (sys.version, msgspec.__version__, policy, forwarding, redaction.scope, settings):
        digest.update(repr(said).encode() + b"\n")
    return digest.digest()


def _program(folder: Path) -> bytes | None:
    """The digest of all sources in the folder of the package."""
    digest = blake2b()
    names = []
    try:
        for place, folders, files in os.walk(folder):
            if place == str(folder) and _NOT_ASKED in folders:
                folders.remove(_NOT_ASKED)
            names += [os.path.join(place, name) for name in files if name.endswith(".py")]
        for name in sorted(names):
            with open(name, "rb") as file:
                status, source = os.fstat(file.fileno()), file.read()
            if status.st_ctime > _LOADED:
                return None
            digest.update(b"%b %d\n" % (os.path.relpath(name, folder).encode(), len(source)) + source)
    except OSError:
        return None
    return digest.digest() if names else None
