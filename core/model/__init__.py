"""The tables, one subject a module; importing this package knows them all."""

from core.model.base import Record, Table, metadata
from core.model.costs import AcquisitionCost
from core.model.customers import Activity, Contact, Customer
from core.model.deals import CreditShare, Deal, DealChange, DealLine, StageMove
from core.model.forecasts import ForecastRun
from core.model.goals import Quota, Scenario, ScenarioShare
from core.model.goods import Product, Sku
from core.model.honours import Award, Contest
from core.model.people import (
    PasswordReset,
    Rep,
    RepLeave,
    SignInAttempt,
    SignInSession,
    SignInTicket,
    Team,
    Territory,
    TerritoryAssignment,
    User,
)
from core.model.plans import PlanLine, SalesPlan
from core.model.process import Channel, LostReason, Pipeline, Stage
from core.model.system import (
    AuditEntry,
    BatchState,
    ChangeLog,
    Currency,
    Draft,
    FxRate,
    IdempotencyKey,
    ImportBatch,
    ImportMapping,
    Setting,
    ShareLink,
    WordPair,
)

for _table in metadata.tables.values():
    _table.dialect_options["sqlite"]["strict"] = True

__all__ = [
    "AcquisitionCost", "Activity", "AuditEntry", "Award", "BatchState", "ChangeLog", "Channel", "Contact", "Contest",
    "CreditShare", "Currency", "Customer", "Deal", "DealChange", "DealLine", "Draft", "ForecastRun", "FxRate",
    "IdempotencyKey", "ImportBatch", "ImportMapping", "LostReason", "PasswordReset", "Pipeline", "PlanLine",
    "Product", "Quota", "Record", "Rep", "RepLeave", "SalesPlan", "Scenario", "ScenarioShare", "Setting", "ShareLink",
    "SignInAttempt", "SignInSession", "SignInTicket", "Sku", "Stage", "StageMove", "Table", "Team", "Territory",
    "TerritoryAssignment", "User", "WordPair", "metadata",
]  # fmt: skip
