"""Lets ``python -m chatproxy`` do what ``chatproxy`` does."""

from chatproxy.cli import main

main()
