"""``logicspike doctor``: looks at everything a running bot needs, and says what to mend in one sentence each."""

from __future__ import annotations

from .examining import Section, examine, list_sections
from .findings import Finding
from .showing import show

__all__ = ["Finding", "Section", "examine", "list_sections", "show"]
