"""The first tables."""

import sqlalchemy as sa
from alembic import op

from core.model import types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("origin", sa.String(length=120), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_entry_hash")),
        sqlite_strict=True,
    )
    op.create_index("ix_audit_entry_action", "audit_entry", ["action"], unique=False)
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"], unique=False)
    op.create_index("ix_audit_entry_kind", "audit_entry", ["kind"], unique=False)
    op.create_index("ix_audit_entry_record_id", "audit_entry", ["record_id"], unique=False)
    op.create_index("ix_audit_entry_user_id", "audit_entry", ["user_id"], unique=False)

    op.create_table(
        "change_log",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("key", sa.Integer(), nullable=True),
        sa.Column(
            "xid",
            sa.BigInteger(),
            server_default=types.TransactionNumber(),
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_log")),
        sqlite_strict=True,
    )
    op.create_index("ix_change_log_xid", "change_log", ["xid"], unique=False)

    op.create_table(
        "channel",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
        sa.UniqueConstraint("code", name=op.f("uq_channel_code")),
        sqlite_strict=True,
    )
    op.create_table(
        "currency",
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("length(code) = 3", name=op.f("ck_currency_iso_code")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_currency")),
        sqlite_strict=True,
    )
    op.create_table(
        "idempotency_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("command", sa.String(length=60), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_key")),
        sa.UniqueConstraint("key", name=op.f("uq_idempotency_key_key")),
        sqlite_strict=True,
    )
    op.create_table(
        "import_mapping",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("signature", sa.String(length=64), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_mapping")),
        sa.UniqueConstraint("kind", "signature", name=op.f("uq_import_mapping_kind_signature")),
        sqlite_strict=True,
    )
    op.create_table(
        "lost_reason",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lost_reason")),
        sa.UniqueConstraint("code", name=op.f("uq_lost_reason_code")),
        sqlite_strict=True,
    )
    op.create_table(
        "pipeline",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipeline")),
        sa.UniqueConstraint("code", name=op.f("uq_pipeline_code")),
        sqlite_strict=True,
    )
    op.create_table(
        "setting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("value", sa.String(length=2000), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setting")),
        sa.UniqueConstraint("name", name=op.f("uq_setting_name")),
        sqlite_strict=True,
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
        sqlite_strict=True,
    )
    op.create_index("ix_sign_in_attempt_address", "sign_in_attempt", ["address"], unique=False)
    op.create_index("ix_sign_in_attempt_at", "sign_in_attempt", ["at"], unique=False)
    op.create_index("ix_sign_in_attempt_username", "sign_in_attempt", ["username"], unique=False)

    op.create_table(
        "territory",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_territory")),
        sa.UniqueConstraint("code", name=op.f("uq_territory_code")),
        sqlite_strict=True,
    )
    op.create_table(
        "fx_rate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("rate", types.Rate(), nullable=False),
        sa.CheckConstraint("rate > 0", name=op.f("ck_fx_rate_rate_positive")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_fx_rate_currency_currency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fx_rate")),
        sa.UniqueConstraint("currency", "on", name=op.f("uq_fx_rate_currency_on")),
        sqlite_strict=True,
    )
    op.create_table(
        "stage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("pipeline_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "open",
                "won",
                "lost",
                name="stage_kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("expected_days", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("expected_days >= 0", name=op.f("ck_stage_expected_days_not_negative")),
        sa.CheckConstraint(
            "probability >= 0 AND probability <= 1",
            name=op.f("ck_stage_probability_is_a_rate"),
        ),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipeline.id"], name=op.f("fk_stage_pipeline_id_pipeline")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage")),
        sa.UniqueConstraint("pipeline_id", "code", name=op.f("uq_stage_pipeline_id_code")),
        sqlite_strict=True,
    )
    op.create_index("ix_stage_pipeline_id", "stage", ["pipeline_id"], unique=False)

    op.create_table(
        "team",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("territory_id", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "parent_id IS NULL OR parent_id <> id",
            name=op.f("ck_team_not_its_own_parent"),
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["team.id"], name=op.f("fk_team_parent_id_team")),
        sa.ForeignKeyConstraint(
            ["territory_id"],
            ["territory.id"],
            name=op.f("fk_team_territory_id_territory"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("name", name=op.f("uq_team_name")),
        sqlite_strict=True,
    )
    op.create_index("ix_team_parent_id", "team", ["parent_id"], unique=False)

    op.create_table(
        "rep",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("joined_on", sa.Date(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.CheckConstraint(
            "left_on IS NULL OR joined_on IS NULL OR left_on >= joined_on",
            name=op.f("ck_rep_leaves_after_joining"),
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_rep_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rep")),
        sa.UniqueConstraint("external_id", name=op.f("uq_rep_external_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_rep_name", "rep", ["name"], unique=False)
    op.create_index("ix_rep_team_id", "rep", ["team_id"], unique=False)

    op.create_table(
        "app_user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "rep",
                "manager",
                "leadership",
                "operations",
                "administrator",
                "shared",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("rep_id", sa.Integer(), nullable=True),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("password_hash", sa.String(length=100), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "role <> 'manager' OR team_id IS NOT NULL",
            name=op.f("ck_app_user_a_manager_has_a_team"),
        ),
        sa.CheckConstraint(
            "role <> 'rep' OR rep_id IS NOT NULL",
            name=op.f("ck_app_user_a_rep_is_a_rep"),
        ),
        sa.CheckConstraint("role <> 'shared'", name=op.f("ck_app_user_nobody_is_a_link")),
        sa.ForeignKeyConstraint(["rep_id"], ["rep.id"], name=op.f("fk_app_user_rep_id_rep")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_app_user_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("username", name=op.f("uq_app_user_username")),
        sqlite_strict=True,
    )
    op.create_index("ix_app_user_rep_id", "app_user", ["rep_id"], unique=False)

    op.create_table(
        "quota",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rep_id", sa.Integer(), nullable=True),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("amount", types.Money(), nullable=False),
        sa.CheckConstraint(
            "(rep_id IS NULL) <> (team_id IS NULL)",
            name=op.f("ck_quota_of_a_rep_or_a_team"),
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_quota_amount_not_negative")),
        sa.ForeignKeyConstraint(["rep_id"], ["rep.id"], name=op.f("fk_quota_rep_id_rep")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_quota_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quota")),
        sa.UniqueConstraint("rep_id", "month", name=op.f("uq_quota_rep_id_month")),
        sa.UniqueConstraint("team_id", "month", name=op.f("uq_quota_team_id_month")),
        sqlite_strict=True,
    )
    op.create_index("ix_quota_month", "quota", ["month"], unique=False)
    op.create_index("ix_quota_rep_id", "quota", ["rep_id"], unique=False)
    op.create_index("ix_quota_team_id", "quota", ["team_id"], unique=False)

    op.create_table(
        "territory_assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rep_id", sa.Integer(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["rep_id"], ["rep.id"], name=op.f("fk_territory_assignment_rep_id_rep")),
        sa.ForeignKeyConstraint(
            ["territory_id"],
            ["territory.id"],
            name=op.f("fk_territory_assignment_territory_id_territory"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_territory_assignment")),
        sa.UniqueConstraint(
            "rep_id",
            "territory_id",
            "from_on",
            name=op.f("uq_territory_assignment_rep_id_territory_id_from_on"),
        ),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_territory_assignment_rep_id",
        "territory_assignment",
        ["rep_id"],
        unique=False,
    )

    op.create_table(
        "draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=80), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("saved_at", types.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_draft_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
        sa.UniqueConstraint("user_id", "form", name=op.f("uq_draft_user_id_form")),
        sqlite_strict=True,
    )
    op.create_index("ix_draft_user_id", "draft", ["user_id"], unique=False)

    op.create_table(
        "import_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "preview",
                "applied",
                "undone",
                name="batch_state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("rows_imported", sa.Integer(), nullable=False),
        sa.Column("rows_merged", sa.Integer(), nullable=False),
        sa.Column("rows_refused", sa.Integer(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_import_batch_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
        sqlite_strict=True,
    )
    op.create_index("ix_import_batch_file_hash", "import_batch", ["file_hash"], unique=False)

    op.create_table(
        "password_reset",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("expires_at", types.Instant(), nullable=False),
        sa.Column("used_at", types.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["app_user.id"],
            name=op.f("fk_password_reset_user_id_app_user"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_reset")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_reset_token_hash")),
        sqlite_strict=True,
    )
    op.create_index("ix_password_reset_user_id", "password_reset", ["user_id"], unique=False)

    op.create_table(
        "scenario",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("series", sa.JSON(), nullable=False),
        sa.Column("levers", sa.JSON(), nullable=False),
        sa.Column("data_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_scenario_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scenario")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_scenario_user_id_name")),
        sqlite_strict=True,
    )
    op.create_index("ix_scenario_user_id", "scenario", ["user_id"], unique=False)

    op.create_table(
        "share_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("page", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("frozen", sa.JSON(), nullable=True),
        sa.Column("frozen_at", types.Instant(), nullable=True),
        sa.Column("expires_at", types.Instant(), nullable=False),
        sa.Column("revoked_at", types.Instant(), nullable=True),
        sa.Column("opened_count", sa.Integer(), nullable=False),
        sa.Column("last_opened_at", types.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_share_link_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_share_link_token_hash")),
        sqlite_strict=True,
    )
    op.create_index("ix_share_link_user_id", "share_link", ["user_id"], unique=False)

    op.create_table(
        "sign_in_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("seen_at", types.Instant(), nullable=False),
        sa.Column("expires_at", types.Instant(), nullable=False),
        sa.Column("revoked_at", types.Instant(), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["app_user.id"],
            name=op.f("fk_sign_in_session_user_id_app_user"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_session_token_hash")),
        sqlite_strict=True,
    )
    op.create_index("ix_sign_in_session_user_id", "sign_in_session", ["user_id"], unique=False)

    op.create_table(
        "sign_in_ticket",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("binding_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", types.Instant(), nullable=False),
        sa.Column("redeemed_at", types.Instant(), nullable=True),
        sa.Column("next_path", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["app_user.id"],
            name=op.f("fk_sign_in_ticket_user_id_app_user"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_ticket")),
        sa.UniqueConstraint("ticket_hash", name=op.f("uq_sign_in_ticket_ticket_hash")),
        sqlite_strict=True,
    )
    op.create_table(
        "customer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("territory_id", sa.Integer(), nullable=True),
        sa.Column("segment", sa.String(length=60), nullable=False),
        sa.Column("size", sa.String(length=60), nullable=False),
        sa.Column("industry", sa.String(length=80), nullable=False),
        sa.Column("country", sa.String(length=60), nullable=False),
        sa.Column("city", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("phone", sa.String(length=60), nullable=False),
        sa.Column("website", sa.String(length=200), nullable=False),
        sa.Column("note", sa.String(length=4000), nullable=False),
        sa.Column("import_batch_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_customer_has_a_name")),
        sa.ForeignKeyConstraint(
            ["import_batch_id"],
            ["import_batch.id"],
            name=op.f("fk_customer_import_batch_id_import_batch"),
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["rep.id"], name=op.f("fk_customer_owner_id_rep")),
        sa.ForeignKeyConstraint(
            ["territory_id"],
            ["territory.id"],
            name=op.f("fk_customer_territory_id_territory"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("external_id", name=op.f("uq_customer_external_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_customer_import_batch_id", "customer", ["import_batch_id"], unique=False)
    op.create_index("ix_customer_name", "customer", ["name"], unique=False)
    op.create_index("ix_customer_name_key", "customer", ["name_key"], unique=False)
    op.create_index("ix_customer_owner_id", "customer", ["owner_id"], unique=False)
    op.create_index("ix_customer_territory_id", "customer", ["territory_id"], unique=False)

    op.create_table(
        "product",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=80), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("import_batch_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_batch_id"],
            ["import_batch.id"],
            name=op.f("fk_product_import_batch_id_import_batch"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("code", name=op.f("uq_product_code")),
        sqlite_strict=True,
    )
    op.create_index("ix_product_import_batch_id", "product", ["import_batch_id"], unique=False)

    op.create_table(
        "contact",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("phone", sa.String(length=60), nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_contact_customer_id_customer"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sqlite_strict=True,
    )
    op.create_index("ix_contact_customer_id", "contact", ["customer_id"], unique=False)

    op.create_table(
        "sku",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("specification", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("list_price", types.Money(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("list_price >= 0", name=op.f("ck_sku_list_price_not_negative")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_sku_currency_currency")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_sku_product_id_product")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sku")),
        sa.UniqueConstraint("code", name=op.f("uq_sku_code")),
        sqlite_strict=True,
    )
    op.create_index("ix_sku_product_id", "sku", ["product_id"], unique=False)

    op.create_table(
        "deal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("pipeline_id", sa.Integer(), nullable=False),
        sa.Column("stage_id", sa.Integer(), nullable=False),
        sa.Column("stage_entered_at", types.Instant(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "won",
                "lost",
                name="stage_kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("credited_id", sa.Integer(), nullable=True),
        sa.Column("channel_id", sa.Integer(), nullable=True),
        sa.Column("amount", types.Money(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("base_amount", types.Money(), nullable=False),
        sa.Column("expected_close_on", sa.Date(), nullable=False),
        sa.Column("opened_at", types.Instant(), nullable=False),
        sa.Column("closed_at", types.Instant(), nullable=True),
        sa.Column("lost_reason_id", sa.Integer(), nullable=True),
        sa.Column("competitor", sa.String(length=120), nullable=False),
        sa.Column("note", sa.String(length=4000), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("import_batch_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(state = 'lost') = (lost_reason_id IS NOT NULL)",
            name=op.f("ck_deal_a_lost_deal_has_a_reason"),
        ),
        sa.CheckConstraint(
            "(state = 'open') = (closed_at IS NULL)",
            name=op.f("ck_deal_closed_when_not_open"),
        ),
        sa.CheckConstraint(
            "(state = 'won') = (credited_id IS NOT NULL)",
            name=op.f("ck_deal_a_won_deal_is_credited"),
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_deal_amount_not_negative")),
        sa.CheckConstraint("base_amount >= 0", name=op.f("ck_deal_base_amount_not_negative")),
        sa.CheckConstraint(
            "closed_at IS NULL OR closed_at >= opened_at",
            name=op.f("ck_deal_closes_after_it_opens"),
        ),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_deal_has_a_name")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_deal_channel_id_channel")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_deal_contact_id_contact")),
        sa.ForeignKeyConstraint(["credited_id"], ["rep.id"], name=op.f("fk_deal_credited_id_rep")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_deal_currency_currency")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_deal_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["import_batch_id"],
            ["import_batch.id"],
            name=op.f("fk_deal_import_batch_id_import_batch"),
        ),
        sa.ForeignKeyConstraint(
            ["lost_reason_id"],
            ["lost_reason.id"],
            name=op.f("fk_deal_lost_reason_id_lost_reason"),
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["rep.id"], name=op.f("fk_deal_owner_id_rep")),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipeline.id"], name=op.f("fk_deal_pipeline_id_pipeline")),
        sa.ForeignKeyConstraint(["stage_id"], ["stage.id"], name=op.f("fk_deal_stage_id_stage")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal")),
        sa.UniqueConstraint("external_id", name=op.f("uq_deal_external_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_deal_channel_id", "deal", ["channel_id"], unique=False)
    op.create_index("ix_deal_closed_at", "deal", ["closed_at"], unique=False)
    op.create_index("ix_deal_credited_id", "deal", ["credited_id"], unique=False)
    op.create_index("ix_deal_customer_id", "deal", ["customer_id"], unique=False)
    op.create_index("ix_deal_expected_close_on", "deal", ["expected_close_on"], unique=False)
    op.create_index("ix_deal_import_batch_id", "deal", ["import_batch_id"], unique=False)
    op.create_index("ix_deal_opened_at", "deal", ["opened_at"], unique=False)
    op.create_index("ix_deal_owner_id", "deal", ["owner_id"], unique=False)
    op.create_index("ix_deal_owner_state", "deal", ["owner_id", "state"], unique=False)
    op.create_index("ix_deal_pipeline_id", "deal", ["pipeline_id"], unique=False)
    op.create_index("ix_deal_stage_id", "deal", ["stage_id"], unique=False)
    op.create_index("ix_deal_state_expected", "deal", ["state", "expected_close_on"], unique=False)

    op.create_table(
        "activity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "visit",
                "call",
                "email",
                "message",
                "meeting",
                name="activity_kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("note", sa.String(length=4000), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("deal_id", sa.Integer(), nullable=True),
        sa.Column("rep_id", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("done_at", types.Instant(), nullable=True),
        sa.Column("import_batch_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(done_at IS NULL) <> (due_on IS NULL) OR done_at IS NOT NULL",
            name=op.f("ck_activity_done_or_due"),
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_activity_contact_id_contact")),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_activity_customer_id_customer"),
        ),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_activity_deal_id_deal")),
        sa.ForeignKeyConstraint(
            ["import_batch_id"],
            ["import_batch.id"],
            name=op.f("fk_activity_import_batch_id_import_batch"),
        ),
        sa.ForeignKeyConstraint(["rep_id"], ["rep.id"], name=op.f("fk_activity_rep_id_rep")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
        sqlite_strict=True,
    )
    op.create_index("ix_activity_customer_id", "activity", ["customer_id"], unique=False)
    op.create_index("ix_activity_deal_id", "activity", ["deal_id"], unique=False)
    op.create_index("ix_activity_done_at", "activity", ["done_at"], unique=False)
    op.create_index("ix_activity_due_on", "activity", ["due_on"], unique=False)
    op.create_index("ix_activity_import_batch_id", "activity", ["import_batch_id"], unique=False)
    op.create_index("ix_activity_rep_id", "activity", ["rep_id"], unique=False)

    op.create_table(
        "deal_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column(
            "field",
            sa.Enum(
                "amount",
                "owner",
                "expected_close",
                name="deal_field",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("before", sa.String(length=40), nullable=True),
        sa.Column("after", sa.String(length=40), nullable=False),
        sa.Column("effective_at", types.Instant(), nullable=False),
        sa.Column("recorded_at", types.Instant(), nullable=False),
        sa.Column("by_user_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_user_id"],
            ["app_user.id"],
            name=op.f("fk_deal_change_by_user_id_app_user"),
        ),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_deal_change_deal_id_deal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_change")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_deal_change_deal_effective",
        "deal_change",
        ["deal_id", "effective_at", "id"],
        unique=False,
    )

    op.create_table(
        "deal_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("sku_id", sa.Integer(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price", types.Money(), nullable=False),
        sa.Column("discount_rate", sa.Float(), nullable=False),
        sa.Column("amount", types.Money(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_deal_line_amount_not_negative")),
        sa.CheckConstraint(
            "discount_rate >= 0 AND discount_rate <= 1",
            name=op.f("ck_deal_line_discount_is_a_rate"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_deal_line_quantity_positive")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_deal_line_unit_price_not_negative")),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_deal_line_deal_id_deal")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_deal_line_product_id_product")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_deal_line_sku_id_sku")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_line")),
        sqlite_strict=True,
    )
    op.create_index("ix_deal_line_deal_id", "deal_line", ["deal_id"], unique=False)
    op.create_index("ix_deal_line_product_id", "deal_line", ["product_id"], unique=False)

    op.create_table(
        "stage_move",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("from_stage_id", sa.Integer(), nullable=True),
        sa.Column("to_stage_id", sa.Integer(), nullable=False),
        sa.Column("effective_at", types.Instant(), nullable=False),
        sa.Column("recorded_at", types.Instant(), nullable=False),
        sa.Column("by_user_id", sa.Integer(), nullable=True),
        sa.Column("lost_reason_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_user_id"],
            ["app_user.id"],
            name=op.f("fk_stage_move_by_user_id_app_user"),
        ),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_stage_move_deal_id_deal")),
        sa.ForeignKeyConstraint(
            ["from_stage_id"],
            ["stage.id"],
            name=op.f("fk_stage_move_from_stage_id_stage"),
        ),
        sa.ForeignKeyConstraint(
            ["lost_reason_id"],
            ["lost_reason.id"],
            name=op.f("fk_stage_move_lost_reason_id_lost_reason"),
        ),
        sa.ForeignKeyConstraint(["to_stage_id"], ["stage.id"], name=op.f("fk_stage_move_to_stage_id_stage")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_move")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_stage_move_deal_effective",
        "stage_move",
        ["deal_id", "effective_at", "id"],
        unique=False,
    )


def downgrade() -> None:
    """Go down."""
    op.drop_index("ix_stage_move_deal_effective", table_name="stage_move")

    op.drop_table("stage_move")
    op.drop_index("ix_deal_line_product_id", table_name="deal_line")
    op.drop_index("ix_deal_line_deal_id", table_name="deal_line")

    op.drop_table("deal_line")
    op.drop_index("ix_deal_change_deal_effective", table_name="deal_change")

    op.drop_table("deal_change")
    op.drop_index("ix_activity_rep_id", table_name="activity")
    op.drop_index("ix_activity_import_batch_id", table_name="activity")
    op.drop_index("ix_activity_due_on", table_name="activity")
    op.drop_index("ix_activity_done_at", table_name="activity")
    op.drop_index("ix_activity_deal_id", table_name="activity")
    op.drop_index("ix_activity_customer_id", table_name="activity")

    op.drop_table("activity")
    op.drop_index("ix_deal_state_expected", table_name="deal")
    op.drop_index("ix_deal_stage_id", table_name="deal")
    op.drop_index("ix_deal_pipeline_id", table_name="deal")
    op.drop_index("ix_deal_owner_state", table_name="deal")
    op.drop_index("ix_deal_owner_id", table_name="deal")
    op.drop_index("ix_deal_opened_at", table_name="deal")
    op.drop_index("ix_deal_import_batch_id", table_name="deal")
    op.drop_index("ix_deal_expected_close_on", table_name="deal")
    op.drop_index("ix_deal_customer_id", table_name="deal")
    op.drop_index("ix_deal_credited_id", table_name="deal")
    op.drop_index("ix_deal_closed_at", table_name="deal")
    op.drop_index("ix_deal_channel_id", table_name="deal")

    op.drop_table("deal")
    op.drop_index("ix_sku_product_id", table_name="sku")

    op.drop_table("sku")
    op.drop_index("ix_contact_customer_id", table_name="contact")

    op.drop_table("contact")
    op.drop_index("ix_product_import_batch_id", table_name="product")

    op.drop_table("product")
    op.drop_index("ix_customer_territory_id", table_name="customer")
    op.drop_index("ix_customer_owner_id", table_name="customer")
    op.drop_index("ix_customer_name_key", table_name="customer")
    op.drop_index("ix_customer_name", table_name="customer")
    op.drop_index("ix_customer_import_batch_id", table_name="customer")

    op.drop_table("customer")
    op.drop_table("sign_in_ticket")
    op.drop_index("ix_sign_in_session_user_id", table_name="sign_in_session")

    op.drop_table("sign_in_session")
    op.drop_index("ix_share_link_user_id", table_name="share_link")

    op.drop_table("share_link")
    op.drop_index("ix_scenario_user_id", table_name="scenario")

    op.drop_table("scenario")
    op.drop_index("ix_password_reset_user_id", table_name="password_reset")

    op.drop_table("password_reset")
    op.drop_index("ix_import_batch_file_hash", table_name="import_batch")

    op.drop_table("import_batch")
    op.drop_index("ix_draft_user_id", table_name="draft")

    op.drop_table("draft")
    op.drop_index("ix_territory_assignment_rep_id", table_name="territory_assignment")

    op.drop_table("territory_assignment")
    op.drop_index("ix_quota_team_id", table_name="quota")
    op.drop_index("ix_quota_rep_id", table_name="quota")
    op.drop_index("ix_quota_month", table_name="quota")

    op.drop_table("quota")
    op.drop_index("ix_app_user_rep_id", table_name="app_user")

    op.drop_table("app_user")
    op.drop_index("ix_rep_team_id", table_name="rep")
    op.drop_index("ix_rep_name", table_name="rep")

    op.drop_table("rep")
    op.drop_index("ix_team_parent_id", table_name="team")

    op.drop_table("team")
    op.drop_index("ix_stage_pipeline_id", table_name="stage")

    op.drop_table("stage")
    op.drop_table("fx_rate")
    op.drop_table("territory")
    op.drop_index("ix_sign_in_attempt_username", table_name="sign_in_attempt")
    op.drop_index("ix_sign_in_attempt_at", table_name="sign_in_attempt")
    op.drop_index("ix_sign_in_attempt_address", table_name="sign_in_attempt")

    op.drop_table("sign_in_attempt")
    op.drop_table("setting")
    op.drop_table("pipeline")
    op.drop_table("lost_reason")
    op.drop_table("import_mapping")
    op.drop_table("idempotency_key")
    op.drop_table("currency")
    op.drop_table("channel")
    op.drop_index("ix_change_log_xid", table_name="change_log")

    op.drop_table("change_log")
    op.drop_index("ix_audit_entry_user_id", table_name="audit_entry")
    op.drop_index("ix_audit_entry_record_id", table_name="audit_entry")
    op.drop_index("ix_audit_entry_kind", table_name="audit_entry")
    op.drop_index("ix_audit_entry_at", table_name="audit_entry")
    op.drop_index("ix_audit_entry_action", table_name="audit_entry")

    op.drop_table("audit_entry")
