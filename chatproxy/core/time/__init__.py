"""Instants: how they are spelled, which write caused them, what a session serves for them.

1. Every spelling keeps its length.
2. Instants stand in date fields and date headers, never in what users wrote.

Read: timestamps, causes, stamps, session_clock.
"""
