"""What came of a run, and coverage over many.

Read: report, coverage.
"""
