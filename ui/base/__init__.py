"""What every view stands on. QtCore, QtGui, QtWidgets and QtSvg only; nothing heavy.

How to write a view
-------------------
* A view is built from a `UiContext` (context.py): `View(context, model)`. Read `context.theme`,
  `context.words`, `context.icons` in the constructor; when look or language changes the frame
  throws its pages away and builds them anew from the living view-models, so a view never
  restyles itself and keeps no state worth keeping.
* Words: `context.words("library.found", n=7)`. No sentence in code.
* Colours and sizes: `theme.color("accent_text")`, `theme.color(context.subjects.tone(subject))`
  for painters; `theme.size(40)` for things that hold text or are touched, `theme.gap(16)` for
  spaces, `theme.font(Type.TITLE, bold=True)`. Tokens are the fields of `palette.Palette`.
* No widget ever gets a style string; name a role instead (sheet.py):
  labels  `label(text, Type.CAPTION, tone="muted", is_bold=True)`; tone: muted accent amber red info
          or `context.subjects.tone(subject)`
  frames  `Paper()`, `Paper("next")`, `Paper("done")`, `Paper("inset")`; `divider()`
  buttons `Button(context, Face(text=…, icon="play", kind="primary", side=…, key="Ctrl+K"))`;
          kinds primary secondary outline quiet link danger. At most one primary per page.
* Layouts: `rows(gap=…)`, `row(gap=…)`, `FlowLayout`, `Page(context, most_px=1280)` (a centred
  scrolling page; 0 = fill the window).
* Text that may be long: `ElidedLabel(theme, text, Type.TITLE, is_bold=True, lines=2)`; for
  delegates `broken_lines(text, font, width, lines)`.
* Lights: `ReadinessLight(theme, light)` + a label of `context.words(WORD_KEYS[light])` in
  `TONES[light]`; delegates call `paint_light(painter, rect, light, palette)`.
* Choosing: `Chip`, `Segments`, `Tick` (check box; `is_radio=True`), `ChoiceRow`, `Select`,
  `Stepper` (choice.py).
* Telling: `Notice` inside a page; `context.say("key", tone="good")` and
  `context.say_error(error)` for the frame's passing notice. Nothing is modal: `Popover`.
* Icons: `context.icons.pixmap("video", theme.hex("ink"), size)`; names are the files in
  assets/icons (Lucide; add the ones you use from the same release, keep the set small).
* Futures: `context.dispatcher.watch(future, done=self._on_rows, failed=context.say_error,
  owner=self)`. For questions where only the last answer counts: `Latest(dispatcher).ask(…)`.
* `context.is_mirrored` is True when pupils see this screen.
"""
