"""What looks inside a model."""
