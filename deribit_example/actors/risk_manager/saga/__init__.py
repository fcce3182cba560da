"""The saga side of the risk manager: it is the initiator."""
