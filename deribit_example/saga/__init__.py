"""The order saga: payloads, tokens and workflow in `types`."""
