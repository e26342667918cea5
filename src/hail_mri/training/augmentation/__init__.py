"""What is wrong with real scans, at random: artefacts, missing parts, lesions, contrasts.

Every function takes the generator it draws from.
"""
