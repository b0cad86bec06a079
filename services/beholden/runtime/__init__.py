"""Settings, wiring, server, health, telemetry: the only place that knows every other."""
