"""Tables and sentences of plain text."""
