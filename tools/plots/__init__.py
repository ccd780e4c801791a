"""The figures of tools/plot.py."""
