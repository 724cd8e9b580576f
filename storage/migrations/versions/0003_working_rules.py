"""organisation, team work, care, duty, action log"""

import sqlalchemy as sa
from alembic import op

import storage.types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "action_log",
        sa.Column("id", storage.types.BigId, autoincrement=False, nullable=False),
        sa.Column("at", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("before", storage.types.Json, nullable=False),
        sa.Column("after", storage.types.Json, nullable=False),
        sa.Column("message_id", storage.types.BigId, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_log")),
    )
    with op.batch_alter_table("action_log", schema=None) as batch_op:
        batch_op.create_index("ix_action_log_actor", ["actor", "at"], unique=False)
        batch_op.create_index("ix_action_log_at", ["at"], unique=False)

    op.create_table(
        "care_record",
        sa.Column("id", storage.types.BigId, autoincrement=False, nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("updated_at", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_record")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_care_record_fingerprint")),
    )
    with op.batch_alter_table("care_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_care_record_area"), ["area"], unique=False)

    op.create_table(
        "duty",
        sa.Column("id", storage.types.BigId, autoincrement=False, nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("since", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("until", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty")),
    )
    with op.batch_alter_table("duty", schema=None) as batch_op:
        batch_op.create_index("ix_duty_until", ["until"], unique=False)

    op.create_table(
        "joining",
        sa.Column("id", storage.types.BigId, autoincrement=False, nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("group_kind", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_by", sa.String(), nullable=True),
        sa.Column("used_at", storage.types.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joining")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_joining_code_hash")),
    )
    op.create_table(
        "joining_miss",
        sa.Column("id", storage.types.BigId, autoincrement=False, nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("at", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joining_miss")),
    )
    with op.batch_alter_table("joining_miss", schema=None) as batch_op:
        batch_op.create_index("ix_joining_miss_person_at", ["account", "person", "at"], unique=False)

    op.create_table(
        "question",
        sa.Column("id", storage.types.BigId, autoincrement=False, nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("ticket_id", storage.types.BigId, nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("message_id", storage.types.BigId, nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("argument", sa.Text(), nullable=False),
        sa.Column("expires_at", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
        sa.UniqueConstraint("account", "room", "person", name=op.f("uq_question_account_room_person")),
    )
    with op.batch_alter_table("question", schema=None) as batch_op:
        batch_op.create_index("ix_question_expires", ["expires_at"], unique=False)

    op.create_table(
        "org_area",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("parent", sa.String(), nullable=True),
        sa.Column("places", storage.types.Json, nullable=False),
        sa.Column("neighbours", storage.types.Json, nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_org_area")),
    )
    op.create_table(
        "org_group",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("room_known", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_org_group")),
    )
    op.create_table(
        "org_person",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_org_person")),
    )
    op.create_table(
        "org_risk_point",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("aliases", storage.types.Json, nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_org_risk_point")),
    )
    op.create_table(
        "org_unit",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("aliases", storage.types.Json, nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_org_unit")),
    )
    op.create_table(
        "org_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_org_version")),
    )
    op.create_table(
        "export",
        sa.Column("id", storage.types.BigId, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("asked", storage.types.Json, nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_by_name", sa.String(), nullable=False),
        sa.Column("made_at", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("size", storage.types.BigId, nullable=False),
        sa.Column("beat_at", storage.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", storage.types.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
    )
    with op.batch_alter_table("export", schema=None) as batch_op:
        batch_op.create_index(
            "ix_export_unfinished",
            ["id"],
            unique=False,
            sqlite_where=sa.text("state IN ('waiting', 'running')"),
            postgresql_where=sa.text("state IN ('waiting', 'running')"),
        )
    op.create_table(
        "purge",
        sa.Column("id", storage.types.BigId, autoincrement=False, nullable=False),
        sa.Column("at", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("tickets", sa.Integer(), nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("others", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purge")),
    )
    op.create_table(
        "erasure",
        sa.Column("id", storage.types.BigId, autoincrement=False, nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("asked_at", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sa.UniqueConstraint("person", name=op.f("uq_erasure_person")),
    )
    op.create_index("ix_erasure_due_at", "erasure", ["due_at"], unique=False)
    op.create_table(
        "care_visit",
        sa.Column("id", storage.types.BigId, autoincrement=False, nullable=False),
        sa.Column("record_id", storage.types.BigId, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("told_to", sa.String(), nullable=True),
        sa.Column("done_at", storage.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["record_id"], ["care_record.id"], name=op.f("fk_care_visit_record_id_care_record")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_visit")),
        sa.UniqueConstraint("record_id", "day", name=op.f("uq_care_visit_record_id_day")),
    )
    with op.batch_alter_table("care_visit", schema=None) as batch_op:
        batch_op.create_index("ix_care_visit_day", ["day"], unique=False)
        batch_op.create_index(batch_op.f("ix_care_visit_record_id"), ["record_id"], unique=False)

    op.create_table(
        "extension",
        sa.Column("id", storage.types.BigId, autoincrement=False, nullable=False),
        sa.Column("ticket_id", storage.types.BigId, nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_name", sa.String(), nullable=False),
        sa.Column("asked_at", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", storage.types.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_extension_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension")),
    )
    with op.batch_alter_table("extension", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_extension_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "offer",
        sa.Column("id", storage.types.BigId, autoincrement=False, nullable=False),
        sa.Column("ticket_id", storage.types.BigId, nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("topic", sa.Text(), server_default="", nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("taken_by", sa.String(), nullable=True),
        sa.Column("taken_name", sa.String(), nullable=False),
        sa.Column("taken_at", storage.types.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_offer_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
    )
    with op.batch_alter_table("offer", schema=None) as batch_op:
        batch_op.create_index("ix_offer_room_state", ["account", "room", "state"], unique=False)
        batch_op.create_index("ix_offer_state_expires", ["state", "expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_offer_ticket_id"), ["ticket_id"], unique=False)
        batch_op.create_index(
            "uq_offer_open",
            ["ticket_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "org_post",
        sa.Column("id", storage.types.BigId, autoincrement=False, nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["org_person.id"], name=op.f("fk_org_post_person_id_org_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_org_post")),
        sa.UniqueConstraint(
            "person_id", "role", "area", "unit", name=op.f("uq_org_post_person_id_role_area_unit")
        ),
    )
    with op.batch_alter_table("org_post", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_org_post_person_id"), ["person_id"], unique=False)

    op.create_table(
        "ticket_unit",
        sa.Column("id", storage.types.BigId, autoincrement=False, nullable=False),
        sa.Column("ticket_id", storage.types.BigId, nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("lead", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=True),
        sa.Column("person_name", sa.String(), nullable=False),
        sa.Column("notified_at", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("received_at", storage.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("on_scene_at", storage.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("done_at", storage.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("due_at", storage.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_unit_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_unit")),
        sa.UniqueConstraint("ticket_id", "unit", name=op.f("uq_ticket_unit_ticket_id_unit")),
    )
    with op.batch_alter_table("ticket_unit", schema=None) as batch_op:
        batch_op.create_index("ix_ticket_unit_due", ["due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_unit_ticket_id"), ["ticket_id"], unique=False)
        batch_op.create_index("ix_ticket_unit_unit_state", ["unit", "state"], unique=False)

    # Without these every message and ticket that is purged would have the whole table searched.
    op.create_index("ix_ticket_event_message_id", "ticket_event", ["message_id"], unique=False)
    op.create_index("ix_ticket_merged_into", "ticket", ["merged_into"], unique=False)
    op.create_index("ix_ticket_event_actor", "ticket_event", ["actor", "at"], unique=False)
    op.create_index("ix_ticket_event_at", "ticket_event", ["at"], unique=False)

    # Plain ADD COLUMN: copying a table to which others refer is refused by SQLite.
    op.add_column("room", sa.Column("former_topic", sa.String(), nullable=False, server_default=""))
    for name in ("renamed_at", "owner_left_at", "silent_until", "greeted_at"):
        op.add_column("room", sa.Column(name, storage.types.UtcDateTime(timezone=True), nullable=True))
    op.add_column("ticket", sa.Column("track", sa.String(), nullable=False, server_default="small"))
    op.add_column("ticket", sa.Column("risk_point", sa.String(), nullable=True))
    op.add_column("ticket", sa.Column("recurring", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("ticket", sa.Column("extensions", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("ticket", sa.Column("extended_minutes", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("reply", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.create_index(
        "ix_reply_sealed",
        "reply",
        ["created_at"],
        unique=False,
        sqlite_where=sa.text("sealed IS NOT NULL"),
        postgresql_where=sa.text("sealed IS NOT NULL"),
    )
    op.create_index("ix_reply_said", "reply", ["account", "room", "person", "sent_at"], unique=False)

    # Who is signed in signs in anew: it was not kept who that is.
    op.drop_table("web_session")
    op.create_table(
        "web_session",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("secure", sa.Boolean(), nullable=False),
        *(
            sa.Column(name, storage.types.UtcDateTime(timezone=True), nullable=False)
            for name in ("made_at", "used_at", "expires_at", "ends_at")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_web_session")),
    )
    op.create_index(op.f("ix_web_session_person"), "web_session", ["person"], unique=False)
    op.add_column("sign_in", sa.Column("person", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_table("web_session")
    op.create_table(
        "web_session",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("made_at", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", storage.types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_web_session")),
    )
    op.drop_column("sign_in", "person")
    op.drop_index("ix_ticket_event_at", table_name="ticket_event")
    op.drop_index("ix_ticket_event_actor", table_name="ticket_event")
    op.drop_index("ix_ticket_merged_into", table_name="ticket")
    op.drop_index("ix_ticket_event_message_id", table_name="ticket_event")
    op.drop_index("ix_reply_said", table_name="reply")
    op.drop_table("ticket_unit")
    op.drop_table("org_post")
    op.drop_table("offer")
    op.drop_table("extension")
    op.drop_table("export")
    op.drop_table("care_visit")
    op.drop_table("purge")
    op.drop_table("erasure")
    op.drop_table("question")
    op.drop_table("org_version")
    op.drop_table("org_unit")
    op.drop_table("org_risk_point")
    op.drop_table("org_person")
    op.drop_table("org_group")
    op.drop_table("org_area")
    op.drop_table("joining_miss")
    op.drop_table("joining")
    op.drop_table("duty")
    op.drop_table("care_record")
    op.drop_table("action_log")
    op.drop_index("ix_reply_sealed", table_name="reply")
    with op.batch_alter_table("reply") as batch_op:
        batch_op.drop_column("sealed")
    with op.batch_alter_table("room") as batch_op:
        batch_op.drop_column("former_topic")
        batch_op.drop_column("renamed_at")
        batch_op.drop_column("owner_left_at")
        batch_op.drop_column("silent_until")
        batch_op.drop_column("greeted_at")
    with op.batch_alter_table("ticket") as batch_op:
        batch_op.drop_column("track")
        batch_op.drop_column("risk_point")
        batch_op.drop_column("recurring")
        batch_op.drop_column("extensions")
        batch_op.drop_column("extended_minutes")
