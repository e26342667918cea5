"""The BIDS App: a data set in, a data set of derivatives out."""
