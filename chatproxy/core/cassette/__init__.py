"""The compiled cassette: how it is made, asked and stored.

1. A store, an import and a recording after a crash are compiled by the same passes.
2. Other rules mean compiling again, never recording again.

Read: cassette, compile, index, codec, memory.
"""
