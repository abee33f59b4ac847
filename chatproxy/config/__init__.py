"""What the user sets: a flag, a variable or a line of the configuration file, read and checked once.

1. One table has all settings; their flags, variables and keys follow from it. Other flags are in ``cli``.
2. A reader raises ValueError with what is wrong, and never shows a salt, a token or a password.

Read: settings, setting, sources, values, addresses, scrub_rules, linear_engine.
"""
