"""Where files come from and how they get there: hashes, versions, sidecars, and the one atomic write."""
