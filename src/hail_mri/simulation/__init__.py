"""Travelling subjects with the truth known: tissues, pulse sequences, scanners, anatomies, scans, cohorts."""
