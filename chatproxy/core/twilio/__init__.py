"""What Twilio's answers look like: SIDs, paths, pages, addresses, objects, volatile headers, and who may ask.

The tables are in ``core/products``; here is what walks them.

Read: sids, canonical_sids, paths, defaults, page_tokens, origins, urls, fields, objects, volatile, visitors.
"""
