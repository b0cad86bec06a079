"""Beholden: visual recognition that answers to policy."""
