"""Saying whether a picture is fit to be shown."""
