"""What the link may cost, in one line of 传输."""

from typing import Final

from client.domain.settings import LinkKind
from client.domain.spend import Why
from client.service.api import LinkView
from ui.base.bar import Bar
from ui.base.context import UiContext
from ui.base.layout import Paper, row, rows
from ui.base.text import label
from ui.base.theme import Type
from ui.base.widgets import bell_text

_KINDS: Final = {
    LinkKind.BROADBAND: "transfer.kind_broadband",
    LinkKind.SATELLITE: "transfer.kind_satellite",
    LinkKind.PHONE: "transfer.kind_phone",
    LinkKind.SCHOOL: "transfer.kind_school",
}
_CLOSED: Final = {
    Why.DAY: "transfer.closed_day",
    Why.MONTH: "transfer.closed_month",
    Why.MIDNIGHT: "transfer.closed_midnight",
    Why.UNSURE: "transfer.closed_unsure",
}
_NARROW: Final = 0.9
"""From this share on a budget is shown as nearly spent."""


class BudgetBar(Paper):
    """Kind of the link, its bars and one sentence; hidden while nothing limits it."""

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self._context = context
        theme, words = context.theme, context.words
        across = row(self, gap=theme.gap(16))
        across.setContentsMargins(*(theme.gap(12),) * 4)
        self._name = label("", Type.BODY, is_bold=True)
        across.addWidget(self._name)
        middle = rows(gap=theme.gap(6))
        self._bar = Bar(context, words("transfer.budget"))
        middle.addWidget(self._bar)
        self._says = label("", Type.CAPTION, tone="muted", is_wrapped=True)
        middle.addWidget(self._says)
        across.addLayout(middle, 1)
        self.hide()

    def show_link(self, link: LinkView | None) -> None:
        """Show what a link may cost and has cost."""
        is_limited = link is not None and (link.is_metered or link.hours is not None)
        self.setVisible(is_limited)
        if link is None or not is_limited:
            return
        self._name.setText(self._context.words(_KINDS[link.kind]))
        spent, budget = link.day_spent, link.day_budget
        if link.month_budget:
            spent, budget = link.month_spent, link.month_budget
        share = min(1.0, spent / budget) if budget else 0.0
        self._bar.setVisible(bool(budget))
        self._bar.set_share(share, "amber" if share >= _NARROW else "accent")
        self._says.setText(" · ".join(budget_parts(self._context, link)))


def budget_parts(context: UiContext, link: LinkView) -> list[str]:
    """Say what was spent, what is allowed, and whether it is enough."""
    words = context.words
    parts = [words("transfer.budget_detected")] if link.is_detected else []
    for key, spent, budget in (
        ("transfer.budget_month", link.month_spent, link.month_budget),
        ("transfer.budget_day", link.day_spent, link.day_budget),
    ):
        if budget:
            parts.append(words(key, spent=words.size(spent), budget=words.size(budget)))
    if link.hours is not None:
        parts.append(words("transfer.budget_hours", begin=link.hours.begin, end=link.hours.end))
    if not link.is_time_sure:
        parts.append(words("transfer.budget_unsure"))
    elif link.month_budget and link.month_expected:
        is_enough = link.month_expected < link.month_budget * _NARROW
        key = "transfer.budget_enough" if is_enough else "transfer.budget_short"
        parts.append(words(key, size=words.size(link.month_expected)))
    return parts


def closed_text(context: UiContext, link: LinkView | None) -> str:
    """Say why nothing comes now, empty when the link is open."""
    words = context.words
    if link is None or link.limit is Why.NOTHING:
        return ""
    if link.limit is Why.HOURS and link.hours is not None:
        return words("transfer.closed_hours", clock=bell_text(link.hours.begin * 60))
    return words(_CLOSED.get(link.limit, "transfer.waiting"))
