"""What a saga actor declares and implements: participant, state, typed wiring."""
