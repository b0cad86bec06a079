"""Values, errors and ports that every part of Beholden speaks: standard library and numpy only, no I/O."""
