"""Subtitles as text: read from the formats people have, bounded and cleaned, and written as strict WebVTT."""
