"""Experiments: what the figures of `docs/experiments.md` come from. Run as modules; `make bench` leaves them out."""
