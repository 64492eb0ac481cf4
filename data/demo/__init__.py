"""The demo company: a seeded generator whose histories follow stated parameters (docs/methods/demo.md)."""

from data.demo.accounts import DEMO_USERS, DemoUser
from data.demo.load import SEED, DemoSummary, NotEmpty, load_demo
from data.demo.parameters import TrueParameters

__all__ = ["DEMO_USERS", "SEED", "DemoSummary", "DemoUser", "NotEmpty", "TrueParameters", "load_demo"]
