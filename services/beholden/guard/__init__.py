"""The life of a request: who calls, whether the law allows it, and the proof; chain.py lists it."""
