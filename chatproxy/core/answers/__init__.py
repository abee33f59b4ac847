"""A recorded answer as text with slots, and what each kind of slot is filled with.

1. What is a slot is decided when a cassette is compiled; replay fills slots and parses nothing.
2. Outside of its slots an answer is served byte for byte as recorded.

Read: template, elements, stencil, echoes, stand_ins.
"""
