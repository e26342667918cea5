"""Harmonize scans: style cards, the anatomy-safe transfer, results with their sidecars."""
