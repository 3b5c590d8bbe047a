"""The file of the log: whatever the kernel takes at a time."""

from __future__ import annotations

import errno
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.server.log import file as logfile
from proxy.server.log.file import LogFile


class Disk:
    """Stands for the kernel: each write takes as many bytes as it is told to, or fails."""

    def __init__(self, answers: list[int]) -> None:
        self.answers = answers
        self.content = b""

    def write(self, fd: int, data: bytes) -> int:
        answer = self.answers.pop(0) if self.answers else len(data)
        if answer == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.content += data[:answer]
        return min(answer, len(data))

    def writev(self, fd: int, pieces: list[bytes]) -> int:
        return self.write(fd, b"".join(pieces))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 30), max_size=20),
    st.lists(st.integers(0, 12), min_size=1, max_size=8),
    st.lists(st.integers(1, 3), max_size=8),
)
def test_law_whatever_the_disk_does_every_line_is_there_once_and_whole(
    answers: list[int], lengths: list[int], together: list[int]
) -> None:
    lines = [b"<%d%b>\n" % (number, b"." * length) for number, length in enumerate(lengths)]
    disk = Disk(list(answers))
    rest = iter(lines)
    waiting = [item for number in together if (item := b"".join(islice(rest, number)))] + list(rest)
    with pytest.MonkeyPatch.context() as patch:
        file = LogFile("/dev/null")
        file._regular = True
        patch.setattr(logfile.os, "write", disk.write)
        patch.setattr(logfile.os, "writev", disk.writev)
        for _ in range(len(answers) + 1):
            written = file.write(waiting)
            assert written == len(waiting) or file.trouble is not None
            del waiting[:written]
        disk.answers = []
        file.close()
    assert waiting == []
    found = disk.content.splitlines(keepends=True)
    assert [line for line in found if line in lines] == lines
    assert disk.content.endswith(b"\n")
