"""Scores: minimal pairs, perplexity, and the leaderboard beside the published results."""
