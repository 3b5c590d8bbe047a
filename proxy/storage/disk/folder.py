"""The folder of a cache: whose it is, in which format, whether it is whole, and how it is begun anew.

The map is written without waiting for the disk. A process that is killed loses nothing by that, as what it
wrote is the system's by then. When the system itself goes down, pages may be missing; so what is in it counts
only if it was all on the disk at its last transaction, or if the system has been up since.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import lmdb
import msgspec

from proxy.message.errors import ConfigurationError
from proxy.storage.disk.change import Change, no_room
from proxy.storage.disk.errors import Damaged
from proxy.storage.disk.keeping import forget_arriving
from proxy.storage.disk.shared import Shared
from proxy.storage.disk.tables import PAGE, Tables, identity
from proxy.storage.disk.whole import is_open, last_transaction, lengthen, meta_sum

FORMAT = 2
"""The format of what is kept. Another one is begun anew."""

LEAST = 1 << 20
"""The smallest budget in bytes that anything can be done with."""

_MARKER = "pellucid-cache"
_LOCK = "pellucid-lock"
_USERS = "pellucid-users"
_PREFIX = "cache-"
_FOLDER = re.compile(_PREFIX + "[0-9a-f]{16}")
_OURS = re.compile(rf"{_MARKER}(\.\d+)?|{_LOCK}|{_USERS}|{_FOLDER.pattern}|news.*|lost\+found")
_OTHER = "another version uses the cache"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class _Marker(msgspec.Struct):
    pellucid: str
    format: int
    folder: str
    most: int


class _Synced(msgspec.Struct):
    """All was on the disk: the system's start, the last transaction, the sum of what the map says of it."""

    boot: str
    transaction: int
    sum: int


class Folder:
    """The folder at `path`, to be used by this process for a cache of `budget` bytes.

    `say` is told in one line when it is begun anew, and why.
    """

    def __init__(self, path: Path, budget: int, say: Callable[[str], None]) -> None:
        """Raises ConfigurationError where it can't be used."""
        if budget < LEAST:
            raise ConfigurationError("a cache on disk takes 1MiB at least", evidence=f"{budget} bytes")
        self.path = path
        self.budget = budget
        self._most = budget // 4 * 3 // PAGE * PAGE
        self._say = say
        self._boot = _BOOT.read_text().strip() if _BOOT.exists() else ""
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._refuse_strangers()
            self._users = os.open(path / _USERS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            why = "it is no folder" if isinstance(error, FileExistsError) else error.strerror
            raise ConfigurationError(
                "the folder for the cache can't be used", evidence=f"{path}: {why}"
            ) from None

    def open(self) -> Tables:
        """What is in it, begun anew where that can't be used. Raises ConfigurationError."""
        try:
            with self._locked():
                alone = self._alone()
                tables = self._opened(alone)
                fcntl.flock(self._users, fcntl.LOCK_SH)
                return tables
        except (OSError, lmdb.Error, OverflowError) as error:
            self.close()
            if isinstance(error, (lmdb.MemoryError, OverflowError)):
                raise ConfigurationError(
                    "a cache on disk of that size can't be mapped", evidence=f"{self.budget} bytes"
                ) from None
            why = getattr(error, "strerror", None) or str(error)
            raise ConfigurationError(
                "the folder for the cache can't be used", evidence=f"{self.path}: {why}"
            ) from None
        except BaseException:
            self.close()
            raise

    @property
    def is_there(self) -> bool:
        """Whether it is still what another process finds at its path."""
        try:
            return os.path.samestat(os.stat(self.path / _USERS), os.fstat(self._users))
        except OSError:
            return False

    def _find_again(self) -> None:
        """Use what is at the path now, where the folder was taken away. Raises OSError."""
        if not self.is_there:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            users = os.open(self.path / _USERS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(users, fcntl.LOCK_SH)
            os.close(self._users)
            self._users = users

    def objection(self, tables: Tables) -> str | None:
        """Why another process would not use what `tables` are of; None where it would. Raises OSError."""
        if not self.is_there:
            return "it was taken away"
        marker = self._marker()
        if marker is None:
            return "what it is marked with was taken away"
        if self._whole_path(marker) != tables.folder:
            return "somebody else has begun it anew"
        if identity(tables.folder) != tables.identity:
            return "its files were taken away"
        before, tables.length = tables.length, os.stat(os.path.join(tables.folder, "data.mdb")).st_size
        return None if tables.length >= before else "its map was cut short"

    def reopen(self, old: Tables | None, why: str | None) -> Tables:
        """What takes the place of `old`: what another process has begun anew, or, saying `why`, we do now.

        Raises lmdb.Error and OSError; `Damaged` where another version has begun it anew and still uses it.
        """
        self._find_again()
        with self._locked():
            marker = self._marker()
            if marker is not None and marker.format != FORMAT:
                if is_open(self._whole_path(marker)):
                    raise Damaged(_OTHER)
            elif marker is not None and (old is None or self._whole_path(marker) != old.folder):
                with contextlib.suppress(lmdb.Error, Damaged, OSError):
                    return self._tables(marker, False)
            if why is not None:
                self._say(f"the cache in {self.path} is begun anew: {why}")
            try:
                return self._anew()
            except (OSError, lmdb.Error) as error:
                if not no_room(error):
                    raise
                _remove(self._others(None))  # which was given up, and is not to wait for room
                return self._anew()

    @property
    def is_given_up(self) -> bool:
        """Whether nothing that is in it is used by anybody."""
        try:
            marker = self._marker()
            return marker is None or _is_retired(self.path / marker.folder)
        except OSError:
            return False

    def sync(self, tables: Tables) -> None:
        """Have all be on the disk by now, and put down that it is. Raises OSError and lmdb.Error."""
        transaction = tables.number
        descriptor = os.open(os.path.join(tables.folder, "data.mdb"), os.O_RDONLY | os.O_CLOEXEC)
        try:
            getattr(os, "fdatasync", os.fsync)(descriptor)
            found = meta_sum(descriptor, transaction)
        finally:
            os.close(descriptor)
        if found is not None:
            _put(Path(tables.folder, "synced"), _Synced(self._boot, transaction, found))

    def close(self) -> None:
        """This process does not use it any more."""
        if self._users >= 0:
            os.close(self._users)
            self._users = -1

    def _refuse_strangers(self) -> None:
        names = [name for name in os.listdir(self.path) if not _OURS.fullmatch(name)]
        if names and not (self.path / _MARKER).exists():
            raise ConfigurationError(
                "the folder for the cache holds something else", evidence=f"{self.path}: {sorted(names)[0]}"
            )

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _alone(self) -> bool:
        """Whether no other process uses it."""
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _marker(self) -> _Marker | None:
        try:
            marker = msgspec.json.decode((self.path / _MARKER).read_bytes(), type=_Marker)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return marker if _FOLDER.fullmatch(marker.folder) else None

    def _whole_path(self, marker: _Marker) -> str:
        return str(self.path / marker.folder)

    def _opened(self, alone: bool) -> Tables:
        marker = self._marker()
        why = None
        if marker is None:
            why = "what it is marked with can't be read" if (self.path / _MARKER).exists() else None
        elif marker.format != FORMAT:
            if is_open(self._whole_path(marker)):
                raise ConfigurationError(_OTHER, evidence=str(self.path))
            why = f"it is of format {marker.format}, not {FORMAT}"
        elif marker.most != self._most and not alone:
            raise ConfigurationError(
                "the cache is in use with another budget",
                evidence=f"{self.path}: {marker.most * 4 // 3} bytes",
            )
        else:
            try:
                why = self._objection(marker) if alone else None
                if why is None:
                    return self._tables(marker, alone)
            except (lmdb.Error, Damaged) as error:
                if "already open" in str(error):
                    raise ConfigurationError("the cache is open already", evidence=str(self.path)) from None
                why = str(error)
        if why is not None:
            self._say(f"the cache in {self.path} is begun anew: {why}")
        if marker is not None and not alone:
            _retire(self.path, marker)
        return self._anew()

    def _objection(self, marker: _Marker) -> str | None:
        """Why what is there can't be used; None where nothing is known against it. Raises OSError."""
        data = Path(self._whole_path(marker), "data.mdb")
        if not data.exists():
            return "its map is missing"
        last = last_transaction(data)
        if last is None or data.stat().st_size < last.pages * PAGE:
            return "its map is damaged or cut short"
        if last.pages * PAGE > self.budget:
            return "its map is larger than the budget"
        try:
            synced = msgspec.json.decode(data.with_name("synced").read_bytes(), type=_Synced)
        except (FileNotFoundError, msgspec.DecodeError):
            return "it was not written to the end"
        if synced.transaction == last.transaction:
            return None if synced.sum == last.sum else "its map is damaged"
        return None if synced.boot == self._boot else "the system went down before all of it was on the disk"

    def _tables(self, marker: _Marker, alone: bool) -> Tables:
        if not alone and not Path(self._whole_path(marker), "lock.mdb").exists():
            raise Damaged("its lock was taken away")
        tables = Tables(self._whole_path(marker), self.budget, self._most)
        lengthen(Path(tables.folder, "data.mdb"), self._most)
        try:
            with tables.env.begin(write=alone, buffers=True) as txn:
                change = Change(tables, txn, self.budget)
                if alone:  # so that nothing is on its way
                    forget_arriving(change)
                    change.save()
        except BaseException:
            tables.close()
            raise
        if marker.most != self._most:
            marker.most = self._most
            _put(self.path / _MARKER, marker)
        return tables

    def _others(self, folder: Path | None) -> list[Path]:
        return [one for one in self.path.iterdir() if _FOLDER.fullmatch(one.name) and one != folder]

    def _anew(self) -> Tables:
        marker = _Marker("a cache of Pellucid", FORMAT, _PREFIX + secrets.token_hex(8), self._most)
        folder = Path(self._whole_path(marker))
        folder.mkdir(mode=0o700)
        (folder / "contents").mkdir(mode=0o700)
        try:
            tables = Tables(str(folder), self.budget, self._most)
            lengthen(folder / "data.mdb", self._most)
            _put(folder / "synced", _Synced(self._boot, 0, crc32(b"")))
            _put(self.path / _MARKER, marker)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        others = self._others(folder)
        if others:
            threading.Thread(target=_remove, args=(others,), name="pellucid-disk-tidy", daemon=True).start()
        return tables


def _is_retired(folder: Path) -> bool:
    """Whether nobody uses the map in a folder any more, or can open it."""
    if not (folder / "data.mdb").exists():
        return True
    with (folder / "shared").open("rb") as shared:
        return any(shared.read(8))


def give_up(path: Path) -> None:
    """Have the cache in the folder at `path` begun anew by all who use it, as one of them has crashed.

    A damaged page of the map is found out by nearly all that touches it; what is left may end a process, and
    the next one as well. Nothing is done where there is no such cache.
    """
    try:
        marker = msgspec.json.decode((path / _MARKER).read_bytes(), type=_Marker)
        _retire(path, marker)
    except (OSError, ValueError, msgspec.MsgspecError):
        return


def _retire(path: Path, marker: _Marker) -> None:
    if _FOLDER.fullmatch(marker.folder) and (path / marker.folder / "shared").exists():
        shared = Shared(str(path / marker.folder / "shared"), 0)
        shared.retire()
        shared.close()


def _put(path: Path, value: msgspec.Struct) -> None:
    """Put it down, all of it or nothing."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.write_bytes(msgspec.json.encode(value))
    part.chmod(0o600)
    part.replace(path)


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
