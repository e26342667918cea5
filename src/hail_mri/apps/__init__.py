"""What people start: the command line, and what it needs to treat many files."""
