"""What two answers or cassettes mean, and where they differ.

SIDs, times, addresses and volatile header fields are no difference.

Read: meaning, findings, alignment, comparison, closest, drift.
"""
