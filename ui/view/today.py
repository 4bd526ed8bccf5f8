"""今天: the day as a line of periods, what comes next, and the one question that matters.

Invariants:
  Y1  When the page is shown, the focus stands on the button of the running or next period, so
      that Enter starts it.
  Y2  At most one filled button is on the page.
  Y3  A row is never shown in half at the lower edge: it is covered, and counted in words.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from client.domain.errors import ClassroomError
from client.domain.timetable import DEFAULT_BELLS, ClassGroup
from client.service.api import (
    Alternative,
    Card,
    CardAction,
    Moment,
    PeriodRow,
    ResumeNotice,
    SwapScope,
    TodayPage,
)
from ui.base.button import Button
from ui.base.context import Say, UiContext
from ui.base.layout import Page, clear, row, rows
from ui.base.text import label
from ui.base.theme import Type
from ui.view.today_cards import (
    CardCalls,
    CardFrame,
    JointCard,
    QuietCard,
    SingleCard,
    is_joint,
    is_quiet,
)
from ui.view.today_line import GUTTER, MoreBelow, RowGutter
from ui.view.today_notices import DropPaper, EmptyDay, ResumeCard, TimeLine, failed_notice
from ui.view.today_pair import PairCard
from ui.view.today_popovers import PrintPopover, SwapPopover, TimePopover
from ui.view.today_side import BottomStrip, SideColumn
from ui.viewmodel.today import TodayModel

WIDE: Final = 1060
"""From this content width on the side column stands beside the day."""
SIDE: Final = 332
_REFRESH_MS: Final = 20_000


class TodayView(QWidget):
    """The page. Keeps nothing but what it shows; the state is the model's."""

    def __init__(self, context: UiContext, model: TodayModel) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self._rows: list[QWidget] = []
        self._mains: list[Button] = []
        self._next_main: Button | None = None
        self._is_wide: bool | None = None
        self._wants_focus = False
        self.setAcceptDrops(True)
        self.setProperty("page", "true")
        frame = rows(self)
        self._page = Page(context)
        self._page.take_key = self._take_key
        frame.addWidget(self._page, 1)
        self._strip = BottomStrip(context)
        frame.addWidget(self._strip)
        self._more = MoreBelow(context, self._page)
        self._drop = DropPaper(context, self)
        self._calls = CardCalls(
            start=self._on_start,
            help=self._on_help,
            swap=self._on_swap,
            print=self._on_print,
            replace=self._on_replace,
        )
        model.changed.connect(self._on_changed)
        model.failed.connect(self._on_failed)
        model.swapped.connect(self._on_swapped)
        self._timer = QTimer(self)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(model.refresh)
        self._build()

    # --- building ------------------------------------------------------------------------

    def _on_changed(self) -> None:
        at = self._page.verticalScrollBar().value()
        had_focus = self.isAncestorOf(QApplication.focusWidget() or self)
        self._build()
        self._page.verticalScrollBar().setValue(at)
        if had_focus or self._wants_focus:
            # New widgets are shown by the event loop and take no focus before.
            QTimer.singleShot(0, self, self.focus_next)

    def _build(self) -> None:
        self._more.set_rows(())
        clear(self._page.body)
        self._rows, self._mains, self._next_main = [], [], None
        page = self._model.page
        self._is_wide = self._is_wide_now()
        if page is None:
            text = self._context.words("today.loading")
            self._page.body.addWidget(label(text, tone="muted"))
            self._page.body.addStretch(1)
            self._strip.hide()
            return
        self._add_notices(page)
        if page.rows:
            self._add_day(page)
            self._page.body.addStretch(1)
        else:
            self._add_empty(page)
        is_folded = not self._is_wide and bool(page.upcoming)
        self._strip.setVisible(is_folded)
        if is_folded:
            self._strip.show_bar(page.upcoming[0])
        self._more.set_rows(self._rows)

    def _add_notices(self, page: TodayPage) -> None:
        if page.resume is not None:
            notice = ResumeCard(self._context, page.resume)
            notice.resumed.connect(self._on_resume)
            notice.finished.connect(self._model.finish_with_textbook)
            self._page.body.addWidget(notice)
            self._next_main = notice.main
            self._mains.append(notice.main)
        if not page.is_time_sure:
            row_now = self._model.next_row()
            line = TimeLine(self._context, page.day, row_now.period if row_now else None)
            line.confirmed.connect(self._on_time_right)
            line.denied.connect(self._on_time_wrong)
            self._page.body.addWidget(line)

    def _add_empty(self, page: TodayPage) -> None:
        empty = EmptyDay(self._context, page)
        empty.asked.connect(self._on_empty_asked)
        self._page.body.addWidget(empty, 1)
        self._mains.append(empty.main)
        self._next_main = self._next_main or empty.main
        if page.upcoming and self._is_wide:
            self._page.body.addWidget(self._side(page))

    def _add_day(self, page: TodayPage) -> None:
        theme = self._context.theme
        line = row(gap=theme.gap(32))
        day = rows()
        day.addLayout(self._heads(page))
        last = len(page.rows) - 1
        for number, period in enumerate(page.rows):
            holder = QWidget()
            both = row(holder)
            ends = {"is_first": number == 0, "is_last": number == last}
            both.addWidget(RowGutter(self._context, period, **ends))
            both.addWidget(self._row_body(page, period), 1)
            day.addWidget(holder)
            self._rows.append(holder)
        day.addStretch(1)
        line.addLayout(day, 1)
        if self._is_wide:
            side = self._side(page)
            side.setFixedWidth(theme.size(SIDE))
            line.addWidget(side)
        self._page.body.addLayout(line)
        if not self._is_wide and page.needs_hand:
            self._page.body.addWidget(self._side(page, is_short=True))

    def _side(self, page: TodayPage, *, is_short: bool = False) -> SideColumn:
        upcoming = () if is_short else page.upcoming
        station = self._model.actions.open_station
        return SideColumn(self._context, upcoming, page.needs_hand, page.month_left, station)

    def _heads(self, page: TodayPage) -> QHBoxLayout:
        theme = self._context.theme
        line = row(gap=theme.gap(12))
        line.setContentsMargins(theme.size(GUTTER), 0, 0, theme.gap(8))
        for index in self._model.columns():
            group = page.classes[index]
            head = row(gap=theme.gap(8))
            head.addWidget(label(group.name, Type.TITLE, is_bold=True))
            facts = []
            if group.headcount:
                facts.append(self._context.words.plural("frame.people", group.headcount))
            cards = [period.cards[index] for period in page.rows]
            count = sum(card is not None and card.lesson is not None for card in cards)
            facts.append(self._context.words.plural("today.lessons_with_media", count))
            head.addWidget(label(" · ".join(facts), Type.CAPTION, tone="muted"))
            head.addStretch(1)
            line.addLayout(head, 1)
        return line

    def _row_body(self, page: TodayPage, period: PeriodRow) -> QWidget:
        theme = self._context.theme
        body = QWidget()
        line = row(body, gap=theme.gap(12))
        line.setContentsMargins(0, 0, 0, theme.gap(10))
        columns = self._model.columns()
        cards = [period.cards[index] for index in columns]
        classes = [page.classes[index] for index in columns]
        kind = self._kind_of(page, period)
        made = self._merged(cards, classes, kind)
        if made is not None:
            self._take(made, period)
            line.addWidget(made)
            return body
        for card in cards:
            if card is None:
                line.addStretch(1)
                continue
            single = self._single(card, kind)
            self._take(single, period)
            line.addWidget(single, 1, self._align(card, cards))
        return body

    def _align(self, card: Card, cards: Sequence[Card | None]) -> Qt.AlignmentFlag:
        same = all(other is None or is_quiet(other) == is_quiet(card) for other in cards)
        return Qt.AlignmentFlag(0) if same else Qt.AlignmentFlag.AlignTop

    def _merged(
        self, cards: Sequence[Card | None], classes: Sequence[ClassGroup], kind: str
    ) -> CardFrame | None:
        present = [card for card in cards if card is not None]
        if len(present) <= 1 or any(is_quiet(card) for card in present):
            return None
        if is_joint(cards):
            return JointCard(self._context, present, classes, self._calls, kind=kind)
        return PairCard(self._context, cards, classes, self._calls, kind=kind)

    def _single(self, card: Card, kind: str) -> CardFrame:
        if is_quiet(card):
            return QuietCard(self._context, card, self._calls)
        return SingleCard(self._context, card, self._calls, kind=kind)

    def _kind_of(self, page: TodayPage, period: PeriodRow) -> str:
        """Choose the kind of a row's main button (Y2)."""
        is_held = any(c is not None and c.action is CardAction.RESUME for c in period.cards)
        if page.resume is not None:
            return "outline" if is_held else "secondary"
        return "primary" if period.moment in (Moment.NOW, Moment.NEXT) else "secondary"

    def _take(self, made: CardFrame, period: PeriodRow) -> None:
        if made.main is None:
            return
        self._mains.append(made.main)
        if self._next_main is None and period.moment in (Moment.NOW, Moment.NEXT):
            self._next_main = made.main

    # --- focus and keys ------------------------------------------------------------------

    def _focus_if_wanted(self) -> None:
        if self._wants_focus:
            self.focus_next()

    def focus_next(self) -> None:
        """Put the focus on the button that matters now (Y1)."""
        target = self._next_main or next(iter(self._mains), None)
        if target is not None:
            self._wants_focus = False
            target.setFocus(Qt.FocusReason.OtherFocusReason)
            if self._model.page is not None and self._model.page.resume is None:
                self._page.show_widget(target)

    def _take_key(self, key: int) -> bool:
        """Move between main buttons by the up and down keys."""
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(key))
        mains = [main for main in self._living_mains() if main.isVisible()]
        if step is None or not mains:
            return False
        at = next((n for n, main in enumerate(mains) if main.hasFocus()), None)
        target = mains[0] if at is None else mains[max(0, min(len(mains) - 1, at + step))]
        target.setFocus(Qt.FocusReason.TabFocusReason)
        self._page.show_widget(target)
        return True

    def _living_mains(self) -> list[Button]:
        """Find the main buttons as they are now: a pair may show its choices instead."""
        frames = cast("list[CardFrame]", self._page.findChildren(CardFrame))
        kept = [main for main in self._mains if isinstance(main.parent(), (ResumeCard, EmptyDay))]
        living = [*kept, *(frame.main for frame in frames if frame.main is not None)]
        return sorted(living, key=lambda main: main.mapTo(self, QPoint(0, 0)).y())

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Look again whenever the page comes to the front."""
        super().showEvent(event)
        self._timer.start()
        self._wants_focus = True
        self._model.refresh()
        QTimer.singleShot(0, self, self._focus_if_wanted)

    def hideEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Stop looking while nobody sees it."""
        del event
        self._timer.stop()

    # --- width ---------------------------------------------------------------------------

    def _is_wide_now(self) -> bool:
        return not self._context.theme.is_large and self.width() >= WIDE

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Fold the side column below a certain width."""
        super().resizeEvent(event)
        self._drop.setGeometry(self.rect())
        if self._is_wide is not None and self._is_wide_now() != self._is_wide:
            self._build()

    # --- what buttons do -----------------------------------------------------------------

    def _on_start(self, cards: Sequence[Card]) -> None:
        first = cards[0]
        if first.action is CardAction.RESUME and first.sitting is not None and first.lesson:
            self._model.actions.resume(
                ResumeNotice(
                    key=first.key,
                    sitting=first.sitting,
                    lesson=first.lesson,
                    title=first.title,
                    position_s=first.resume_s or 0.0,
                )
            )
            return
        self._model.actions.start(cards)

    def _on_resume(self) -> None:
        if self._model.page is not None and self._model.page.resume is not None:
            self._model.actions.resume(self._model.page.resume)

    def _on_help(self, card: Card) -> None:
        if card.action is CardAction.FETCH and card.lesson is not None:
            self._model.actions.fetch(card.lesson)
        else:
            self._model.actions.import_stick()

    def _on_replace(self, card: Card) -> None:
        if card.stopped is not None and card.stopped.replacement is not None and card.lesson:
            self._model.use_instead(card.lesson, card.stopped.replacement)

    def _on_swap(self, card: Card, anchor: QWidget) -> None:
        popover = SwapPopover(
            self._context,
            self,
            card,
            lambda offer, scope: self._on_chosen(card, offer, scope),
        )
        popover.open_at(anchor)
        self._model.offer(card.key, popover.show_offers)

    def _on_chosen(self, card: Card, offer: Alternative, scope: SwapScope) -> None:
        self._model.swap(card.key, offer, scope)

    def _on_swapped(self) -> None:
        words = self._context.words
        self._context.said.emit(
            Say(
                text=words("today.swapped"),
                tone="good",
                action=words("frame.undo"),
                act=self._model.undo,
            )
        )

    def _on_print(self, card: Card, anchor: QWidget) -> None:
        popover = PrintPopover(
            self._context, self, card, lambda what: self._model.actions.print_sheet(card, what)
        )
        popover.open_at(anchor)

    def _on_time_right(self) -> None:
        page, now = self._model.page, self._model.next_row()
        if page is not None:
            self._model.tell_time(page.day, now.period if now is not None else 1)

    def _on_time_wrong(self, anchor: QWidget) -> None:
        page = self._model.page
        if page is None:
            return
        bells = tuple(period.bell for period in page.rows) or DEFAULT_BELLS
        popover = TimePopover(self._context, self, page.day, bells, self._model.tell_time)
        popover.open_at(anchor)

    def _on_empty_asked(self, what: str) -> None:
        if what == "import":
            self._model.actions.import_paths(())
        else:
            self._model.actions.open_station(what)

    def _on_failed(self, error: ClassroomError) -> None:
        if self._model.page is not None:
            self._context.say_error(error)
            return
        clear(self._page.body)
        notice = failed_notice(self._context, error)
        notice.acted.connect(self._model.refresh)
        self._page.body.addWidget(notice)
        self._page.body.addStretch(1)

    # --- files dropped on the page -------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take files and folders."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._drop.show()
            self._drop.raise_()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802 - Qt's name
        """Stop inviting."""
        super().dragLeaveEvent(event)
        self._drop.hide()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Import what was dropped."""
        self._drop.hide()
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self._model.actions.import_paths(tuple(paths))
