"""The saga side of the order placer: its step, and where its state lives."""
