"""THE PURE CORE: no IO, no threads, no clock, no logging; time arrives as an argument."""
