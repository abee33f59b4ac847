"""The canonical form; merging and pruning cassettes.

The canonical form is a function of the exchanges and the rules, and of nothing else.

Read: calendar, canonical, merging, pruning.
"""
