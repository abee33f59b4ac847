"""Header lists, codings, forms, grammar, request text: HTTP without sockets.

Read: headers, codings, forms, grammar, admission, request_text.
"""
