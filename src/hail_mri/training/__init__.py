"""Training the networks: where samples come from (`data`), what is done to them (`augmentation`), and the `phases`.

A phase learns from a `batch.Batch` and knows nothing of its origin. `running` keeps the time and the folder of a run.
"""
