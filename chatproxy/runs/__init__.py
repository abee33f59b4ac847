"""One run of a program or a test against one cassette: what serves it, what it reaches, what becomes of its recording.

A file is changed only by an attempt that went well.

Read: attempt, served, marked, per_test, child, blocking, intercept, languages.
"""
