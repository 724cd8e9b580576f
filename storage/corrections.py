"""What people put right, for those who learn from it."""

from collections.abc import Sequence

from sqlmodel import Session, col, delete, select

from storage.tables import Correction, CorrectionKind

# A merge or a split says which matter was meant, not what kind of matter it was.
_OF_LABELS = (CorrectionKind.FALSE_ALARM, CorrectionKind.RELABEL, CorrectionKind.REVIEW)


def forget(session: Session, like: Correction) -> None:
    """Removes what that person put right about that message at that moment."""
    session.exec(
        delete(Correction).where(
            col(Correction.kind) == like.kind,
            col(Correction.message_id) == like.message_id,
            col(Correction.made_by) == like.made_by,
            col(Correction.at) == like.at,
        )
    )


def to_learn_from(session: Session) -> Sequence[Correction]:
    """What each message is to be taken for, by the last word of a person on it; oldest first."""
    statement = (
        select(Correction)
        .where(
            col(Correction.kind).in_(_OF_LABELS),
            col(Correction.label).is_not(None),
            col(Correction.text) != "",
        )
        .order_by(col(Correction.at), col(Correction.id))
    )
    last = {one.message_id or one.id: one for one in session.exec(statement)}
    return list(last.values())
