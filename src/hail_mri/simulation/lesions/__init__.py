"""Pathology that a subject has before it is scanned, and carries from site to site."""
