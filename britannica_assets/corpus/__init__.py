"""From the volumes' articles to token ids: combine, clean, split, tokenize."""
