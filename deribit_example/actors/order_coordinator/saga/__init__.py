"""The saga side of the order coordinator: its step, and where its state lives."""
