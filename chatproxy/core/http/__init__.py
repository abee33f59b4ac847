"""Header lists, forms, grammar, request text: HTTP without sockets.

Read: headers, forms, grammar, admission, request_text.
"""
