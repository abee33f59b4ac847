"""A forwarded request and its answer as an exchange.

1. An exchange has no credentials when it leaves here.
2. Exchanges are numbered in the order of their answers.

Read: recorder, imported.
"""
