"""Luopan: sales performance, from the deal to the forecast."""
