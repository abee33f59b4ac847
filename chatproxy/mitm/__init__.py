"""What the mitmproxy addon is made of; it needs the package mitmproxy, the extra ``mitmproxy``.

Read: addon, flows, codings, current, options, own_options, others, commands, view, __main__.
"""
