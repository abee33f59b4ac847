"""An engine put together as the settings want it: cassette, sessions, recording, upstream.

What goes to the upstream is recorded by one function, in the server and in the addon alike.

Read: assembly, sessions, upstream, forwarding.
"""
