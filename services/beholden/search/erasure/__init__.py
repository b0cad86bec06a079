"""Removing what is kept of a human being: on request, on time, and when a consent is revoked."""
