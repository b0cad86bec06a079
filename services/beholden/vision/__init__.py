"""Pictures and faces as arrays: pure functions of bytes and numpy arrays, without I/O or state."""
