"""The user's rules for what may be shared, and pseudonyms.

1. A live request is scrubbed as a recorded one is, so both have one key.
2. Scrubbing what is scrubbed changes nothing.
3. Where the rules cannot be applied, nothing is shared.

Read: rules, engines, scrub, parts, patterns, pseudonyms, limits.
"""
