"""Measurements, as ratios of two things in one run. Not tests: see README.md."""
