"""The HAIL network, its losses, whole-volume statistics, and weights on disk."""
