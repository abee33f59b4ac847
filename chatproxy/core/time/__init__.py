"""Instants: how they are spelled, whose they are, how they are ordered, what a session serves for them.

1. Every spelling keeps its length.
2. Instants stand in date fields and date headers, never in what users wrote.
3. A recording orders instants by ranks; a session gives each of them one second that keeps to that order.

Read: timestamps, dates, upstream_clock, ranks, instants, stamps, ladder, session_clock, sent_back.
"""
