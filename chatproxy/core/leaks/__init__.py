"""The gate before a file is shared: what looks like a secret, wherever it hides.

What is found is never shown: a leak names the rule, the place, the field and an id.

Read: gate, detectors, unmarked, named, services, private_keys, personal, randomness, decoding, places.
"""
