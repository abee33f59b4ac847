"""An engine put together as the settings want it: cassette, sessions, recording, upstream.

Read: assembly, sessions, upstream, forwarding.
"""
