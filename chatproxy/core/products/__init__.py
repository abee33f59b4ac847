"""What is Twilio's, as tables: hosts, paths, SID types, fields, parameters, header fields.

1. Whatever is Twilio's stands here and nowhere else; all other parts read it from here.
2. A table is data: what walks it is in ``core/twilio`` and where it is used.
3. Tables shape what is compiled: ``every.MEANING`` is part of the rules' fingerprint, so that a changed table means
   compiling again.

Read: product, chat, sid_types, edge, every.
"""
