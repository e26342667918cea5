"""The batch engine: many scans by processes or by machines; killed anywhere and started again, it finishes the rest."""
