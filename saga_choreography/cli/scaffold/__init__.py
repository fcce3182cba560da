"""What `saga-choreography new` writes: names checked, types spelled, files rendered, and put in place at once."""
