"""What can be exported: the two lists, the two ledgers, tickets, who did what, digests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from handlers.kinds import Sort
from handlers.lists import Asked
from handlers.tabling import deeds, grouped, tickets
from handlers.tabling.base import Column, Source


class TableName(StrEnum):
    """What can be asked for."""

    TICKETS = "tickets"
    FACILITIES = "facilities"
    SERVICES = "services"
    FACILITY_LEDGER = "facility-ledger"
    SERVICE_LEDGER = "service-ledger"
    AUDIT = "audit"
    DIGESTS = "digests"


@dataclass(frozen=True, slots=True)
class Table:
    """sort: which kinds can be asked for, None where there are none."""

    name: TableName
    title: str
    columns: tuple[Column, ...]
    source: Callable[[Asked], Source]
    sort: Sort | None = None


def _grouped(name: TableName, title: str, sort: Sort) -> Table:
    return Table(name, title, grouped.COLUMNS, lambda asked: grouped.Gathered(sort, asked), sort)


def _ledger(name: TableName, title: str, sort: Sort) -> Table:
    write = tickets.ledger_row(sort)
    return Table(name, title, tickets.LEDGER, lambda asked: tickets.Tickets(asked, write, sort), sort)


TABLES: Final[Mapping[TableName, Table]] = {
    table.name: table
    for table in (
        _grouped(TableName.FACILITIES, "设施问题清单", Sort.FACILITY),
        _grouped(TableName.SERVICES, "服务需求清单", Sort.SERVICE),
        _ledger(TableName.FACILITY_LEDGER, "设施问题台账", Sort.FACILITY),
        _ledger(TableName.SERVICE_LEDGER, "服务需求台账", Sort.SERVICE),
        Table(
            TableName.TICKETS,
            "事项明细",
            tickets.COLUMNS,
            lambda asked: tickets.Tickets(asked, tickets.ticket_row),
        ),
        Table(TableName.DIGESTS, "日报", deeds.DIGESTS, deeds.Digests),
        Table(TableName.AUDIT, "操作记录", deeds.AUDIT, deeds.Audit),
    )
}
