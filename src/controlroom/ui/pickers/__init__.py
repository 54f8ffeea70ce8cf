"""One of many in a form: a choice while they are few, a typed name with suggestions where they are many."""

from controlroom.ui.pickers.picker import FEW, Offer, Picker, PickRefused, Source, resolved

__all__ = ["FEW", "Offer", "PickRefused", "Picker", "Source", "resolved"]
