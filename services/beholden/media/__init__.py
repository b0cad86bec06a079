"""Reads and writes video files: the adapter around FFmpeg."""
