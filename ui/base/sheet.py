"""The application's one style sheet, generated from tokens.

Roles are dynamic properties: `kind` on buttons (primary, secondary, outline, quiet, danger,
link), `type`, `tone` and `strong` on labels, `card` on frames. After changing a property of a
living widget call `ui.base.widgets.repolish`.
"""

from collections.abc import Callable, Mapping

from ui.base.palette import Palette

Size = Callable[[int], int]


def style_sheet(palette: Palette, text: Mapping[str, int], size: Size) -> str:
    """Generate the sheet. `text` gives pixels per text role, `size` scales control sizes."""
    return "\n".join(
        (
            _ground(palette, text),
            _labels(palette, text),
            _buttons(palette, text, size),
            _inputs(palette, size),
            _views(palette, text, size),
            _frames(palette),
        )
    )


def _ground(p: Palette, text: Mapping[str, int]) -> str:
    return f"""
QWidget {{ color: {p.ink}; font-size: {text["body"]}px; }}
QMainWindow, QDialog, QWidget[page="true"] {{ background: {p.bg}; }}
QWidget[rail="true"] {{ background: {p.rail}; }}
QScrollArea {{ background: transparent; border: 0; }}
QScrollArea > QWidget > QWidget[scrolled="true"] {{ background: transparent; }}
QToolTip {{ background: {p.ink}; color: {p.bg}; border: 0; padding: 6px 10px;
  font-size: {text["caption"]}px; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; }}
QScrollBar::handle {{ background: {p.line2}; border-radius: 3px; margin: 3px; min-height: 32px;
  min-width: 32px; }}
QScrollBar::handle:hover {{ background: {p.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""


def _labels(p: Palette, text: Mapping[str, int]) -> str:
    rules = ["QLabel { background: transparent; }"]
    rules += [f'QLabel[type="{role}"] {{ font-size: {px}px; }}' for role, px in text.items()]
    rules.append('QLabel[strong="true"] { font-weight: 700; }')
    tones = {
        "muted": p.muted,
        "accent": p.accent_text,
        "amber": p.amber_text,
        "red": p.red,
        "info": p.info,
        "ink": p.ink,
    }
    tones |= {f"subject:{role}": colour for role, colour in p.subjects.items()}
    rules += [f'QLabel[tone="{tone}"] {{ color: {colour}; }}' for tone, colour in tones.items()]
    return "\n".join(rules)


def _buttons(p: Palette, text: Mapping[str, int], size: Size) -> str:
    tall, wide = size(8), size(16)
    return f"""
QPushButton {{ background: {p.surface}; color: {p.ink}; border: 1px solid {p.line2};
  border-radius: 10px; padding: {tall}px {wide}px;
  font-size: {text["body"]}px; }}
QPushButton:hover {{ background: {p.inset}; }}
QPushButton:pressed {{ background: {p.pressed}; }}
QPushButton:focus {{ border: 2px solid {p.accent}; padding: {tall - 1}px {wide - 1}px; }}
QPushButton:disabled {{ background: {p.inset}; color: {p.disabled}; }}
QPushButton[kind="primary"] {{ background: {p.accent}; color: {p.on_accent};
  border: 2px solid {p.accent}; padding: {tall - 1}px {wide - 1}px; font-weight: 700; }}
QPushButton[kind="primary"]:hover {{ background: {p.accent_hover};
  border-color: {p.accent_hover}; }}
QPushButton[kind="primary"]:pressed {{ background: {p.accent_pressed};
  border-color: {p.accent_pressed}; }}
QPushButton[kind="primary"]:focus {{ border-color: {p.accent}; }}
QPushButton[kind="primary"]:disabled {{ background: {p.inset}; color: {p.disabled};
  border-color: {p.inset}; }}
QPushButton[kind="outline"] {{ border: 1px solid {p.accent}; color: {p.accent_text};
  font-weight: 700; }}
QPushButton[kind="outline"]:hover {{ background: {p.accent_soft}; }}
QPushButton[kind="outline"]:pressed {{ background: {p.accent_soft};
  border-color: {p.accent_pressed}; }}
QPushButton[kind="outline"]:focus {{ border: 2px solid {p.accent}; }}
QPushButton[kind="danger"] {{ border: 1px solid {p.red}; color: {p.red}; font-weight: 700; }}
QPushButton[kind="danger"]:hover {{ background: {p.red_soft}; }}
QPushButton[kind="danger"]:focus {{ border: 2px solid {p.red}; }}
QPushButton[kind="quiet"], QPushButton[kind="link"] {{ background: transparent;
  border: 2px solid transparent; padding: {tall - 1}px {size(6)}px; }}
QPushButton[kind="quiet"] {{ color: {p.muted}; font-size: {text["caption"]}px; }}
QPushButton[kind="link"] {{ color: {p.accent_text}; font-weight: 700; }}
QPushButton[kind="quiet"]:hover, QPushButton[kind="link"]:hover {{ background: {p.inset}; }}
QPushButton[kind="quiet"]:pressed, QPushButton[kind="link"]:pressed {{ background: {p.pressed}; }}
QPushButton[kind="quiet"]:focus, QPushButton[kind="link"]:focus {{
  border: 2px solid {p.accent}; }}
QPushButton[kind="quiet"]:disabled, QPushButton[kind="link"]:disabled {{
  background: transparent; }}
"""


def _inputs(p: Palette, size: Size) -> str:
    height = size(40) - 4
    return f"""
QLineEdit, QComboBox, QSpinBox, QPlainTextEdit {{ background: {p.surface}; color: {p.ink};
  border: 1px solid {p.line2}; border-radius: 10px; padding: 1px 11px; min-height: {height}px;
  selection-background-color: {p.accent}; selection-color: {p.on_accent};
  placeholder-text-color: {p.muted}; }}
QLineEdit:hover, QComboBox:hover, QSpinBox:hover, QPlainTextEdit:hover {{
  border-color: {p.ink}; }}
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QPlainTextEdit:focus {{
  border: 2px solid {p.accent}; padding: 0 10px; }}
QLineEdit:disabled, QComboBox:disabled, QSpinBox:disabled {{ background: {p.inset};
  color: {p.disabled}; }}
QPlainTextEdit {{ padding: 8px 11px; }}
QPlainTextEdit:focus {{ padding: 7px 10px; }}
QComboBox {{ padding-right: 36px; }}
QComboBox::drop-down {{ border: 0; width: 36px; }}
QComboBox::down-arrow {{ image: none; }}
QComboBox QAbstractItemView {{ background: {p.surface}; border: 1px solid {p.line2};
  padding: 4px; outline: 0; selection-background-color: {p.accent_soft};
  selection-color: {p.accent_text}; }}
QProgressBar {{ border: 0; border-radius: 4px; background: {p.inset}; max-height: 8px;
  min-height: 8px; }}
QProgressBar::chunk {{ background: {p.accent}; border-radius: 4px; }}
QSlider::groove:horizontal {{ height: 6px; border-radius: 3px; background: {p.pressed}; }}
QSlider::sub-page:horizontal {{ background: {p.accent}; border-radius: 3px; }}
QSlider::handle:horizontal {{ background: {p.accent}; width: 18px; margin: -6px 0;
  border-radius: 9px; }}
"""


def _views(p: Palette, text: Mapping[str, int], size: Size) -> str:
    return f"""
QListView, QTreeView {{ background: transparent; border: 0; outline: 0; }}
QTreeView::item {{ min-height: {size(36)}px; border-radius: 6px; }}
QTreeView::item:hover {{ background: {p.inset}; }}
QTreeView::item:selected {{ background: {p.accent_soft}; color: {p.accent_text}; }}
QTreeView::branch {{ background: transparent; }}
QMenu {{ background: {p.surface}; border: 1px solid {p.line2}; padding: 6px; }}
QMenu::item {{ padding: 8px 20px; border-radius: 6px; min-height: {size(24)}px;
  font-size: {text["body"]}px; }}
QMenu::item:selected {{ background: {p.accent_soft}; color: {p.accent_text}; }}
QMenu::item:disabled {{ color: {p.disabled}; }}
"""


def _frames(p: Palette) -> str:
    return f"""
QFrame[card="true"] {{ background: {p.surface}; border: 1px solid {p.line};
  border-radius: 10px; }}
QFrame[card="next"] {{ background: {p.surface}; border: 2px solid {p.accent};
  border-radius: 10px; }}
QFrame[card="done"] {{ background: transparent; border: 1px solid {p.line};
  border-radius: 10px; }}
QFrame[card="inset"] {{ background: {p.inset}; border: 1px solid {p.inset};
  border-radius: 10px; }}
QFrame[notice="info"] {{ background: {p.info_soft}; border: 1px solid {p.info_soft};
  border-radius: 10px; }}
QFrame[notice="good"] {{ background: {p.accent_soft}; border: 1px solid {p.accent_soft};
  border-radius: 10px; }}
QFrame[notice="amber"] {{ background: {p.amber_soft}; border: 1px solid {p.amber_soft};
  border-radius: 10px; }}
QFrame[notice="red"] {{ background: {p.red_soft}; border: 1px solid {p.red_soft};
  border-radius: 10px; }}
QFrame[strip="true"] {{ background: {p.surface}; border: 0; border-top: 1px solid {p.line}; }}
QFrame[divider="true"] {{ background: {p.line}; border: 0; min-width: 1px; min-height: 1px; }}
QFrame[divider="h"] {{ background: {p.line}; border: 0; max-height: 1px; min-height: 1px; }}
QFrame[divider="v"] {{ background: {p.line}; border: 0; max-width: 1px; min-width: 1px; }}
"""
