"""The service next to the same weights in their own code: see `__main__`."""
