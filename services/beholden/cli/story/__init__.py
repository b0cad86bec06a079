"""The demo: a server of its own (stage), pictures (props), what is told (scenes) and how (telling)."""
