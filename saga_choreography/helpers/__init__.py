"""The shell around the pure core: everything an actor does with its sagas, still without threads."""
