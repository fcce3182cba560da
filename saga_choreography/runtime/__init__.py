"""Threads, actors, timers: the only layer that imports pykka."""
