"""Core values to and from the protos, for every servicer; no decisions are made here."""
