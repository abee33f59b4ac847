"""A client's password or token: how it is found in any encoding and blanked.

1. Header fields with credentials are dropped; the secret itself is blanked wherever it stands.
2. A live request is blanked as a recorded one is, before its key is made.
3. The user name is no secret.

Read: carried, blanking, encodings, linear.
"""
