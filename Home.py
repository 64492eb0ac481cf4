"""The program as an ASGI application: Streamlit's pages, and routes beside them.

`python -m core.serve` runs it, and so do `streamlit run Home.py` and `uvicorn Home:app`.
"""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from core.serve import lifespan
from core.services.installation import cookie_key
from core.settings import settings
from core.ui import options, routes
from core.web import auth, base_path, health, steady
from core.web.base_path import BasePathMiddleware
from core.web.first_paint import FirstPaintMiddleware
from core.web.proxies import ProxyMiddleware
from core.web.security import SecurityMiddleware

ROOT = Path(__file__).resolve().parent

options.read_secrets()
options.use_cookie_secret(cookie_key())

app = st.App(
    ROOT / "core" / "ui" / "frame.py",
    routes=[*auth.ROUTES, *health.ROUTES, *base_path.ROUTES, *steady.ROUTES],
    middleware=[
        Middleware(ProxyMiddleware, trusted=settings().trusted_proxies),
        Middleware(SecurityMiddleware),
        Middleware(FirstPaintMiddleware, draws_charts=routes.draws_charts),
        Middleware(BasePathMiddleware),
    ],
    lifespan=lifespan,
)
