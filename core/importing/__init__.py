"""Bringing a company's files in: read, recognise, clean, match, preview, and give back what was refused."""
