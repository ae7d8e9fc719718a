"""Language models as rankers, asked over the chat-completions API."""
