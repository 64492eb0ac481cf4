"""Streamlit's options that are decided when the program starts, not in `.streamlit/config.toml`."""

from __future__ import annotations

import streamlit as st
from streamlit import config


def use_cookie_secret(secret: str) -> None:
    """Have Streamlit sign its own cookies with the installation's key, the same in every process."""
    config.set_option("server.cookieSecret", secret)


def read_secrets() -> None:
    """Put the top level of Streamlit's secrets, where there are any, into the environment.

    On Streamlit Community Cloud settings can be given in no other way.
    """
    st.secrets.load_if_toml_exists()
