"""What is done with whole cassettes: found by name, exported, imported, merged, pruned, upgraded, checked for leaks.

1. A file is written whole, and what is exported only after the leak gate has read its text.
2. What replaces a cassette of the store replaces it whole.

Read: names, leak_gate, reach, transfer, merge_driver, prune, upgrade.
"""
