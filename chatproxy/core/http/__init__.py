"""Header lists, codings, forms of either type, grammar, request text: HTTP without sockets.

Read: headers, codings, forms, multipart, grammar, admission, request_text.
"""
