"""What is learned: the tissue network, the two phases of the paper, and the run of each."""
