"""What explains one document, or one pair."""
