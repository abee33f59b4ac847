"""scrubbing."""
