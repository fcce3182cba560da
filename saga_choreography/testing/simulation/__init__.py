"""Deterministic simulation: the real engines on one thread, with everything around them decided by a seed."""
