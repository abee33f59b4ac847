"""The canonical form, and what of a cassette goes into it; merging and pruning cassettes.

The canonical form is a function of the exchanges and the rules, and of nothing else.

Read: addresses, calendar, canonical, retries, taking_over, merging, pruning.
"""
