"""Enrolling faces in collections and finding them again."""
