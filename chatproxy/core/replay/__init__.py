"""One session: bindings, the writes that are done, choice of the answer, the reason of a miss, the journal.

1. All that changes while a cassette is replayed is in its session.
2. To decide changes nothing; only an answer that was decided on is counted.
3. Why a request is a miss is computed from what decided it.

Read: sessions, session, progress, numbers, player, bindings, known, fresh, pairs, gaps, live, fetches, marks,
rendered, askers, explain, nearness, wording, derived,
following, journal.
"""
