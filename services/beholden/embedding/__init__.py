"""Turning faces into templates, and comparing two pictures."""
