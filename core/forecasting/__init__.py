"""Forecasts of regular series: pure functions over frames and arrays, no clock, no database."""
