"""Simple methods that harmonization must be better than."""
