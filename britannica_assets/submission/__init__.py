"""What a BabyLM participant hands in: models for the Hub, and their predictions in the official layout."""
