"""What chatproxy decides: no I/O, no clock, no randomness, no globals that change what is decided.

1. A clock, a seed and a cassette are passed in.
2. Bytes stay bytes and repeats stay repeats: a header list is never folded into a mapping.
3. Each wing imports only such as stand before it in this list; ``engine`` is what the edges call.

Read: text, errors, products, model, http, twilio, scrubbing, matching, credentials, timeline, leaks, record, time,
answers, cassette, replay, sharing, engine, review, report.
"""
