"""`python -m beholden.cli` is `beholden`."""

from __future__ import annotations

import sys

from beholden.cli import main

sys.exit(main())
