"""Record and replay Twilio Programmable Chat v1 messages through an HTTP proxy.

1. What decides is in ``core``; what reads, waits or writes is around it.
2. Each part imports only such as stand before it in this list.

Read: core, clock, environment, outside, config, files, upstream, fixture, store, sandbox, show, testing, cassettes,
checks, wiring, serve, runs, demo, pytest_options, cli, mitm, pytest_plugin, addon, __main__.
"""

__version__ = "0.1.0"
