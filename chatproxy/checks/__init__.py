"""A cassette held against what is true today: an OpenAPI document, or the upstream asked again.

Read: openapi, apart, upstream_again.
"""
