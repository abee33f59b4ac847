"""The compiled cassette: how it is made, asked and stored.

1. A store, an import and a recording after a crash are compiled by the same passes.
2. Memory and store are indexed by the same function, and so answer alike.
3. Other rules mean compiling again, never recording again.

Read: cassette, naming, compile, index, records, codec, memory, history.
"""
