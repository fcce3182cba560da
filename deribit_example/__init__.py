"""A trading saga on Deribit: the worked example of saga choreography, with a simulated exchange to run it against."""
