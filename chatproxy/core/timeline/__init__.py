"""Which epoch an exchange belongs to, and the one order of all.

1. The same scenario gives the same order and the same numbers, whatever its delays and SIDs were.
2. A canonical fixture says where its exchanges stand, and that is not derived again.

Read: traces, races, epochs, order, numbering.
"""
