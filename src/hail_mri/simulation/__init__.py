"""Travelling subjects with the truth known: tissues, pulse sequences, scanners, label maps, scans, cohorts."""
