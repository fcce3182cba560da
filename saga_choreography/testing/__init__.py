"""For tests of programs that use sagas."""
