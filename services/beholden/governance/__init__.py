"""Asking the law, and proving what was decided."""
