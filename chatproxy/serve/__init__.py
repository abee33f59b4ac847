"""The HTTP server: requests come in, the engine decides, answers go out.

1. An answer that is recorded leaves only after its exchange is on disk.
2. What the fast path answers is, byte for byte, what the ordinary path answers.
3. In replay there is no upstream.

Read: wire, connection, proxy, fast_path, control_token, control, bound, accepting, listen, hosting.
"""
