"""Streamlit's options that are decided when the program starts, not in `.streamlit/config.toml`."""

from __future__ import annotations

from streamlit import config


def use_cookie_secret(secret: str) -> None:
    """Have Streamlit sign its own cookies with the installation's key, the same in every process."""
    config.set_option("server.cookieSecret", secret)
