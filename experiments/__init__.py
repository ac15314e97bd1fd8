"""Experiments: what the figures of README.md come from. Run as modules; `make bench` does not run them."""
