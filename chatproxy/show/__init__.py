"""What was found, as text for a person, as JSON, and as JUnit XML.

Nothing is computed here but how a result looks.

Read: table, transcript, message_text, explanation, known_sids, finding_lines, differences, overlaps, checked, junit,
run_report.
"""
