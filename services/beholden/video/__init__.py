"""Stored video: durable analysis under the law, on the services' own models."""
