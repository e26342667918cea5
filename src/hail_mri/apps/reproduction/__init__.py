"""The paper's tables and second figure, made again on simulated scans: cohort, methods, scores, tables, pattern."""
