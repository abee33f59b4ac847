"""Header lists, conditions, codings, forms of either type, grammar, request text: HTTP without sockets.

Read: headers, conditions, codings, forms, grammar, multipart, admission, request_text.
"""
