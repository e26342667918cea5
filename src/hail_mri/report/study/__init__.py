"""The parts of a study's report: its table read, its scans measured, mapped, probed and shown."""
