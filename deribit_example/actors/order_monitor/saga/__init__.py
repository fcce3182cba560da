"""The saga side of the order monitor: its step, and where its state lives."""
