"""Which of the processes that share an outbox sends: the one that holds this lock.

The operating system lets go of it when the process ends, however it ends, so no clock has to
decide whether the last sender is still alive.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


class SenderLock:
    """A lock on a file beside the outbox."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    @property
    def is_held(self) -> bool:
        return self._file is not None

    def acquire(self) -> bool:
        """Whether this process holds it now; never waits."""
        if self._file is not None:
            return True
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(file)
        except OSError:
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Also in a child after a fork: closing its copy takes nothing from the parent."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        # `flock`, not `lockf`: two emitters in one process must exclude each other too.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
