"""Beholden: visual recognition that answers to policy."""

import os

# ONNX Runtime reports to its maker from the moment it is imported, unless it is told not to; here,
# because every process of ours, and every engine that one starts, comes by this line first.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
