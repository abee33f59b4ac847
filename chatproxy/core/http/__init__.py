"""Header lists, forms of either type, grammar, request text: HTTP without sockets.

Read: headers, forms, multipart, grammar, admission, request_text.
"""
