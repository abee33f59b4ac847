"""Plain text and JSON as text; knows neither HTTP nor Twilio.

A text that is edited keeps each byte that the edit does not concern.

Read: json_text, json_edit, json_diff, excerpts.
"""
