"""The main job: a simulated exchange and the trading program as processes, five scenes, and a check of the books."""
