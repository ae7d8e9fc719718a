"""Black boxes: rankers that intentx brings along."""
