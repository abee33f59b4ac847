"""Header lists, codings, forms of either type, grammar, request text: HTTP without sockets.

Read: headers, codings, forms, grammar, multipart, admission, request_text.
"""
