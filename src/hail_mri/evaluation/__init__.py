"""How good a harmonization is, in numbers others can check."""
