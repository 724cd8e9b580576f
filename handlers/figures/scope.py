"""An area with all below it, as the figures ask for it."""

from collections.abc import Iterator
from dataclasses import dataclass

from handlers.context import Context
from handlers.organisation import Organisation


@dataclass(frozen=True, slots=True)
class Scope:
    """codes: of the area and all below it. everywhere: also what lies in no area that is known any more."""

    organisation: Organisation
    area: str
    codes: frozenset[str]
    everywhere: bool

    @classmethod
    def of(cls, ctx: Context, area: str) -> "Scope":
        """The root, or "", is the whole street."""
        organisation = ctx.organisation
        root = area in {"", organisation.root}
        code = organisation.root if root else area
        return cls(organisation, code, organisation.all_within(code), root)

    @property
    def name(self) -> str:
        return self.organisation.area_name(self.area)

    def holds(self, area: str) -> bool:
        return area in self.codes or (self.everywhere and area not in self.organisation.areas)

    def parts(self) -> Iterator["Scope"]:
        """The areas right below, with all below them."""
        for code, area in self.organisation.areas.items():
            if area.parent == self.area:
                yield Scope(self.organisation, code, self.organisation.all_within(code), False)

    def without_parts(self) -> "Scope":
        """What lies in the area itself."""
        return Scope(self.organisation, self.area, frozenset({self.area}), self.everywhere)
