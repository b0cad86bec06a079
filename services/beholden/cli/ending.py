"""How the process of one command ends."""

from __future__ import annotations

import atexit
import os
import sys


class Ending:
    """Ends the process once `code` is known and all else has been cleaned up.

    gRPC's threads are daemons. Where Python, as it takes itself apart, meets one inside C++, the
    process aborts: of a hundred runs of `beholden watch` that Ctrl-C ended, six did. So that part
    is left out. Made before gRPC is imported, since what is registered first is called last.
    """

    def __init__(self) -> None:
        self.code: int | None = None
        atexit.register(self._leave)

    def _leave(self) -> None:
        if self.code is None:
            return
        for stream in filter(None, (sys.stdout, sys.stderr)):  # None where it was closed before
            try:
                stream.flush()
            except OSError:
                self.code = self.code or 1
        os._exit(self.code)
