"""Lints the protos with buf (STANDARD + COMMENTS), offline: imports come from installed packages."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from build import lay_operations

ROOT = Path(__file__).resolve().parent


def main() -> int:
    """Lays ours beside the googleapis that they import, as two modules of one workspace, and lints ours."""
    import google.rpc

    googleapis = Path(next(iter(google.rpc.__path__))).parent
    buf = Path(sys.executable).parent / "buf"
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        shutil.copytree(ROOT / "beholden", workspace / "ours" / "beholden")
        for part in ("rpc", "api"):
            shutil.copytree(
                googleapis / part,
                workspace / "theirs" / "google" / part,
                ignore=shutil.ignore_patterns("*.py*", "__pycache__"),
            )
        lay_operations(googleapis.parent, workspace / "theirs")
        shutil.copy(ROOT / "buf.yaml", workspace)
        return subprocess.run([buf, "lint"], cwd=workspace, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
