# The few names of temporalio that the documents use, as temporalio 1 declares them.
