"""Training the HAIL network on simulated travelling subjects: heads, pairs, the two phases, runs."""
