"""People who need more care, encrypted, and the visits to them."""

from datetime import date, datetime

from sqlalchemy import Column, Date, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.base import id_column, instant, ref


class CareRecord(SQLModel, table=True):
    """Somebody who needs more care. What tells who it is stands only in `sealed`, encrypted."""

    __tablename__ = "care_record"
    id: int = id_column()
    area: str = Field(default="", index=True)
    # Fernet token of the JSON of name, kinds, address, phone, chat id, note, days between visits
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    fingerprint: str = Field(unique=True)  # keyed hash of name and address: an import twice changes nothing
    updated_at: datetime = instant()


class CareVisit(SQLModel, table=True):
    """A visit due on a day: listed to the grid's own people in the morning, ticked off by them."""

    __tablename__ = "care_visit"
    __table_args__ = (UniqueConstraint("record_id", "day"), Index("ix_care_visit_day", "day"))
    id: int = id_column()
    record_id: int = ref("care_record.id", nullable=False)
    day: date = Field(sa_column=Column(Date, nullable=False))
    area: str = ""
    told_to: str | None = None  # person id
    done_at: datetime | None = instant(nullable=True)
    done_by: str | None = None
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))  # how it was, encrypted
