"""The commands, one concern a file; app.py hangs them into the tree."""
