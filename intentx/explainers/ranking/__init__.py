"""What explains a whole ranking."""
