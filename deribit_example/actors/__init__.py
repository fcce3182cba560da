"""The actors of the example: one package each, wired by messages only."""
