"""What is Twilio's, as tables: hosts, paths, SID types, fields, parameters, header fields.

1. What record and replay know of Twilio stands here and nowhere else. The sandbox, which plays one resource, has the
   rest of what that resource does.
2. A table is data: what walks it is in ``core/twilio`` and where it is used.
3. Tables shape what is compiled: ``every.MEANING`` is part of the rules' fingerprint, so that a changed table means
   compiling again.

Read: product, chat, sid_types, edge_headers, client_headers, every.
"""
