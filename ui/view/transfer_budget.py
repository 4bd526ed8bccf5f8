"""流量 on 传输: what the link may cost, what it has cost, and whether that is enough."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

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
_BARS: Final = ("transfer.budget_month", "transfer.budget_day")
_NARROW: Final = 0.9
"""From this share on a budget is shown as nearly spent."""


class BudgetBar(Paper):
    """Kind of the link, its budgets and what is foreseen; hidden while nothing limits it."""

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self._context = context
        theme, words = context.theme, context.words
        body = rows(self, gap=theme.gap(8))
        body.setContentsMargins(*(theme.gap(16),) * 4)
        head = row(gap=theme.gap(8))
        head.addWidget(label(words("transfer.budget"), Type.TITLE, is_bold=True))
        self._name = label("", Type.CAPTION, tone="muted")
        self._name.setAlignment(Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self._name, 1)
        body.addLayout(head)
        self._budgets = tuple(_Budget(context, words(key)) for key in _BARS)
        for one in self._budgets:
            body.addWidget(one)
        self._hours = label("", Type.CAPTION, is_wrapped=True)
        body.addWidget(self._hours)
        self._says = label("", Type.CAPTION, tone="muted", is_wrapped=True)
        body.addWidget(self._says)
        self.hide()

    def show_link(self, link: LinkView | None) -> None:
        """Show what a link may cost and has cost."""
        is_limited = link is not None and (link.is_metered or link.hours is not None)
        self.setVisible(is_limited)
        if link is None or not is_limited:
            return
        words = self._context.words
        self._name.setText(words(_KINDS[link.kind]))
        spent = ((link.month_spent, link.month_budget), (link.day_spent, link.day_budget))
        for budget, figures in zip(self._budgets, spent, strict=True):
            budget.show_spent(*figures)
        hours = link.hours
        said = words("transfer.budget_hours", begin=hours.begin, end=hours.end) if hours else ""
        self._hours.setText(said)
        self._hours.setVisible(bool(said))
        self._says.setText(foreseen(self._context, link))
        self._says.setVisible(bool(self._says.text()))


class _Budget(QWidget):
    """One budget: its name, what is spent of it, and a bar; hidden while there is none."""

    def __init__(self, context: UiContext, name: str) -> None:
        super().__init__()
        self._context = context
        body = rows(self, gap=context.theme.gap(4))
        head = row(gap=context.theme.gap(8))
        head.addWidget(label(name, Type.BODY))
        self._figures = label("", Type.BODY, is_bold=True)
        self._figures.setAlignment(Qt.AlignmentFlag.AlignTrailing)
        head.addWidget(self._figures, 1)
        body.addLayout(head)
        self._bar = Bar(context, name)
        body.addWidget(self._bar)

    def show_spent(self, spent: int, budget: int) -> None:
        """Show bytes spent of a budget, 0 for none."""
        self.setVisible(bool(budget))
        if budget:
            words = self._context.words
            sizes = {"spent": words.size(spent), "budget": words.size(budget)}
            self._figures.setText(words("transfer.budget_figures", **sizes))
            share = min(1.0, spent / budget)
            self._bar.set_share(share, "amber" if share >= _NARROW else "accent")


def foreseen(context: UiContext, link: LinkView) -> str:
    """Say whether the budget is enough, empty where nobody knows."""
    words = context.words
    if not link.is_time_sure:
        return words("transfer.budget_unsure")
    if not link.month_budget or not link.month_expected:
        return ""
    is_enough = link.month_expected < link.month_budget * _NARROW
    key = "transfer.budget_enough" if is_enough else "transfer.budget_short"
    return words(key, size=words.size(link.month_expected))


def closed_text(context: UiContext, link: LinkView | None) -> str:
    """Say why nothing comes now, empty when the link is open."""
    words = context.words
    if link is None or link.limit is Why.NOTHING:
        return ""
    if link.limit is Why.HOURS and link.hours is not None:
        return words("transfer.closed_hours", clock=bell_text(link.hours.begin * 60))
    return words(_CLOSED.get(link.limit, "transfer.waiting"))
