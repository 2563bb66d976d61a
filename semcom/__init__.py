"""Semantic communication over a simulated multi-user link."""
