"""What chatproxy decides: no I/O, no clock, no randomness, no changing globals in here."""
