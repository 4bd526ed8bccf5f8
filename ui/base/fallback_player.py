"""The player on Qt's own multimedia, for machines without VLC.

Qt gives a time with every picture, so no landing is needed; it paints two windows at several
times the cost of libvlc, which is why it is only the second choice.

Invariants:
  V1-V4  See `client.media.port`.
  Q1  Qt's player lives on the GUI thread, whichever thread calls: orders are posted there in
      order, and only `open` waits.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import ClassVar, Final, TypeVar

from PySide6.QtCore import (
    QCoreApplication,
    QEventLoop,
    QIODevice,
    QMetaObject,
    QObject,
    Qt,
    QTimer,
    QUrl,
    Signal,
    Slot,
)
from PySide6.QtGui import QImage
from PySide6.QtMultimedia import (
    QAudioOutput,
    QMediaMetaData,
    QMediaPlayer,
    QVideoFrame,
    QVideoSink,
)

from client.domain.errors import PlayerError
from client.media.port import RING, Frame, FrameSink, MediaFacts, PlayerState, StateSink
from client.media.virtual_mp4 import VirtualMp4, dress

_OPEN_MS: Final = 8000
_DRAIN_MS: Final = 60
_DEFAULT_RATE: Final = 25.0
_MICRO: Final = 1_000_000

_retired: Final[list[QObject]] = []
"""Closed players, emptied: one that went with its owner would be deleted on the owner's thread,
beside its decoder threads, and crash the program."""

T = TypeVar("T")


class _Gate(QObject):
    """The way to the GUI thread, made on any thread, once for the whole run of the program.

    A gate for each player would go with it, on its thread, while the GUI thread is still handing
    over its last job. No signal is connected: Qt for Python keeps its connections in one table
    without a lock, and one made beside the GUI thread crashed it.
    """

    _only: ClassVar["_Gate | None"] = None
    _making: ClassVar = threading.Lock()

    @classmethod
    def shared(cls) -> "_Gate":
        """Return the one gate, made by whoever asks first."""
        with cls._making:
            if cls._only is None:
                cls._only = cls()
            return cls._only

    def __init__(self) -> None:
        super().__init__()
        application = QCoreApplication.instance()
        if application is None:
            raise PlayerError("player_missing")
        self.moveToThread(application.thread())
        self._jobs: deque[Callable[[], None]] = deque()

    def post(self, fn: Callable[[], None]) -> None:
        """Run `fn` on the GUI thread: at once when called from there."""
        if threading.current_thread() is threading.main_thread():
            fn()
        else:
            self._send(fn)

    def call(self, fn: Callable[[], T]) -> T:
        """Run `fn` there and wait for what it returns or raises."""
        if threading.current_thread() is threading.main_thread():
            return fn()
        future: Future[T] = Future()

        def job() -> None:
            try:
                future.set_result(fn())
            except BaseException as error:  # noqa: BLE001 - it belongs to the caller
                future.set_exception(error)

        self._send(job)
        return future.result()

    def _send(self, fn: Callable[[], None]) -> None:
        self._jobs.append(fn)
        queued = Qt.ConnectionType.QueuedConnection
        QMetaObject.invokeMethod(self, "run_next", queued)  # type: ignore[call-overload] # stub: bytes

    @Slot()
    def run_next(self) -> None:
        """Run the job that has waited longest."""
        self._jobs.popleft()()


class FallbackPlayer:
    """See `client.media.port.Player`.

    Raises:
        PlayerError: There is no Qt application.
    """

    def __init__(self) -> None:
        self._gate = _Gate.shared()
        self._is_closed = False
        self._inner = self._gate.call(_QtPlayer)

    def open(self, path: Path, *, start_s: float = 0.0) -> MediaFacts:
        """See `Player`. On the GUI thread it waits in an event loop that takes no input."""
        self._require_open()
        return self._gate.call(lambda: self._inner.open(path, start_s))

    def play(self) -> None:
        """See `Player`."""
        self._require_media()
        self._gate.post(self._inner.play)

    def pause(self) -> None:
        """See `Player`."""
        self._require_media()
        self._gate.post(self._inner.pause)

    def seek_to(self, seconds: float) -> None:
        """See `Player`."""
        self._require_media()
        self._gate.post(lambda: self._inner.seek_to(seconds))

    def set_rate(self, rate: float) -> None:
        """See `Player`."""
        self._require_open()
        self._gate.post(lambda: self._inner.set_rate(rate))

    def set_volume(self, percent: int) -> None:
        """See `Player`."""
        self._require_open()
        self._gate.post(lambda: self._inner.set_volume(percent))

    def loop(self, begin_s: float | None, end_s: float | None = None) -> None:
        """See `Player`."""
        self._require_media()
        self._gate.post(lambda: self._inner.loop(begin_s, end_s))

    @property
    def state(self) -> PlayerState:
        """See `Player`."""
        return self._inner.state

    @property
    def position_s(self) -> float:
        """See `Player`."""
        return self._inner.position_s

    @property
    def duration_s(self) -> float:
        """See `Player`."""
        return self._inner.duration_s

    def on_frame(self, sink: FrameSink | None) -> None:
        """See `Player`."""
        self._inner.frame_sink = sink

    def on_state(self, sink: StateSink | None) -> None:
        """See `Player`."""
        self._inner.state_sink = sink

    def close(self) -> None:
        """See `Player`."""
        if not self._is_closed:
            self._is_closed = True
            self._gate.post(self._inner.close)

    def _require_open(self) -> None:
        if self._is_closed:
            raise PlayerError("player_closed")

    def _require_media(self) -> None:
        self._require_open()
        if not self._inner.has_media:
            raise PlayerError("player_empty")


class _ViewDevice(QIODevice):
    """Transport streams are read as the MP4 they make, or seeking would miss by seconds."""

    def __init__(self, view: VirtualMp4, parent: QObject) -> None:
        super().__init__(parent)
        self._view = view
        self.open(QIODevice.OpenModeFlag.ReadOnly | QIODevice.OpenModeFlag.Unbuffered)

    def isSequential(self) -> bool:  # noqa: N802 - Qt's name
        return False

    def size(self) -> int:
        return self._view.size

    def readData(self, maxlen: int) -> bytes:  # noqa: N802 - Qt's name
        return self._view.read(self.pos(), maxlen)

    def writeData(self, _data: bytes | bytearray | memoryview, _len: int) -> int:  # noqa: N802 - Qt's name
        return -1


class _QtPlayer(QObject):
    """The part on the GUI thread.

    Orders to Qt go through queued signals to its own slots: they wait for Qt's threads, which
    may be waiting for Python. Delivered by the event loop they hold no lock of Python's.
    """

    _play = Signal()
    _pause = Signal()
    _stop = Signal()
    _seek = Signal("qlonglong")  # type: ignore[arg-type] # `int` would be 32 bits
    _rate = Signal(float)
    _clear = Signal(QUrl)

    def __init__(self) -> None:
        super().__init__()
        self.frame_sink: FrameSink | None = None
        self.state_sink: StateSink | None = None
        self._state = PlayerState.EMPTY
        self._facts: MediaFacts | None = None
        self._loop: tuple[float, float] | None = None
        self._serial = 0
        self._shown_s = 0.0
        self._wanted_s: float | None = None
        self._is_closed = False
        self._device: _ViewDevice | None = None
        self._kept: deque[QImage] = deque(maxlen=RING + 1)
        self._sound = QAudioOutput(self)
        self._video = QVideoSink(self)
        self._player = QMediaPlayer(self)
        self._player.setAudioOutput(self._sound)
        self._player.setVideoSink(self._video)
        self._video.videoFrameChanged.connect(self._on_picture, Qt.ConnectionType.QueuedConnection)
        self._player.mediaStatusChanged.connect(self._on_status)
        self._player.errorOccurred.connect(self._on_error)
        queued = Qt.ConnectionType.QueuedConnection
        self._play.connect(self._player.play, queued)
        self._pause.connect(self._player.pause, queued)
        self._stop.connect(self._player.stop, queued)
        self._seek.connect(self._player.setPosition, queued)
        self._rate.connect(self._player.setPlaybackRate, queued)
        self._clear.connect(self._player.setSource, queued)
        self._watch = QTimer(self)
        self._watch.setInterval(20)
        self._watch.timeout.connect(self._watch_loop)

    def open(self, path: Path, start_s: float) -> MediaFacts:
        self._facts = None
        self._loop = None
        self._set_state(PlayerState.OPENING)
        if not path.is_file():
            self._set_state(PlayerState.FAILED)
            raise PlayerError("media_missing", {"name": path.name})
        self._drain()
        self._set_source(path)
        self._wait_for(
            QMediaPlayer.MediaStatus.LoadedMedia,
            QMediaPlayer.MediaStatus.BufferedMedia,
            QMediaPlayer.MediaStatus.InvalidMedia,
        )
        facts = self._read_facts()
        if self._state is PlayerState.FAILED or not (facts.has_video or facts.has_audio):
            self._set_state(PlayerState.FAILED)
            raise PlayerError("media_unplayable", {"name": path.name})
        self._facts = facts
        self._wanted_s = self._clamp(start_s)
        self._set_state(PlayerState.PAUSED)
        self._pause.emit()
        self._go(self._wanted_s)
        self._wait_for_picture()
        return facts

    def play(self) -> None:
        if self._state is PlayerState.ENDED:
            self._go(0.0)
        self._set_state(PlayerState.PLAYING)
        self._play.emit()

    def pause(self) -> None:
        if self._state is PlayerState.PLAYING:
            if not self._media_facts.has_video:
                self._shown_s = self._player.position() / 1000
            self._set_state(PlayerState.PAUSED)
            self._pause.emit()

    def seek_to(self, seconds: float) -> None:
        if self._state is PlayerState.ENDED:
            self._set_state(PlayerState.PAUSED)
            self._pause.emit()
        self._go(self._clamp(seconds))

    def set_rate(self, rate: float) -> None:
        self._rate.emit(min(2.0, max(0.5, rate)))

    def set_volume(self, percent: int) -> None:
        self._sound.setVolume(min(100, max(0, percent)) / 100)

    def loop(self, begin_s: float | None, end_s: float | None = None) -> None:
        end_s = self._media_facts.duration_s if end_s is None else end_s
        self._loop = None if begin_s is None else (begin_s, end_s)
        if self._loop is None:
            self._watch.stop()
        else:
            self._watch.start()

    @property
    def has_media(self) -> bool:
        return self._facts is not None

    @property
    def state(self) -> PlayerState:
        return self._state

    @property
    def position_s(self) -> float:
        if self._facts is None:
            return 0.0
        if self._facts.has_video or self._state is not PlayerState.PLAYING:
            return self._shown_s
        return self._player.position() / 1000

    @property
    def duration_s(self) -> float:
        return self._facts.duration_s if self._facts else 0.0

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            _retired.append(self)
            self.frame_sink = self.state_sink = None
            self._watch.stop()
            self._pause.emit()
            # Qt's threads may be about to hand over a picture; stopping now would wait for one
            # that waits for this thread.
            self._video.blockSignals(True)  # noqa: FBT003 - Qt's signature
            QTimer.singleShot(_DRAIN_MS, self, self._finish)

    def _finish(self) -> None:
        self._stop.emit()
        self._clear.emit(QUrl())
        self._kept.clear()

    def _on_picture(self, frame: QVideoFrame) -> None:
        if self._is_closed or self._facts is None or not frame.isValid():
            return
        at_s = max(0.0, frame.startTime() / _MICRO)
        wanted_s = self._wanted_s
        if wanted_s is not None and abs(at_s - wanted_s) > 2 / self._frame_rate:
            return
        if wanted_s is None and self._state is PlayerState.PAUSED:
            return
        self._wanted_s = None
        self._shown_s = at_s
        self._deliver(frame.toImage().convertToFormat(QImage.Format.Format_RGB32), at_s)

    def _deliver(self, image: QImage, at_s: float) -> None:
        self._kept.append(image)
        self._serial += 1
        if self.frame_sink is not None:
            self.frame_sink(
                Frame(
                    data=memoryview(image.constBits()),
                    width=image.width(),
                    height=image.height(),
                    stride=image.bytesPerLine(),
                    serial=self._serial,
                    at_s=at_s,
                )
            )

    def _on_status(self, status: QMediaPlayer.MediaStatus) -> None:
        if status is QMediaPlayer.MediaStatus.EndOfMedia and self._state is PlayerState.PLAYING:
            if self._loop is not None:
                self._go(self._loop[0])
                self._play.emit()
            else:
                self._set_state(PlayerState.ENDED)

    def _on_error(self, error: QMediaPlayer.Error, _words: str) -> None:
        if error is not QMediaPlayer.Error.NoError:
            self._set_state(PlayerState.FAILED)

    def _watch_loop(self) -> None:
        loop = self._loop
        if loop is not None and self._state is PlayerState.PLAYING and self._shown_s >= loop[1]:
            self._go(loop[0])

    def _go(self, seconds: float) -> None:
        if self._media_facts.has_video:
            self._wanted_s = int(seconds * self._frame_rate + 1e-6) / self._frame_rate
        else:
            self._shown_s = seconds
        self._seek.emit(round(seconds * 1000))

    def _clamp(self, seconds: float) -> float:
        facts = self._media_facts
        last_s = facts.duration_s - (1 / self._frame_rate if facts.has_video else 0.0)
        return max(0.0, min(seconds, last_s))

    def _read_facts(self) -> MediaFacts:
        data = self._player.metaData()
        size = data.value(QMediaMetaData.Key.Resolution)
        rate = data.value(QMediaMetaData.Key.VideoFrameRate)
        has_video = self._player.hasVideo()
        return MediaFacts(
            duration_s=self._player.duration() / 1000,
            width=size.width() if has_video and size else 0,
            height=size.height() if has_video and size else 0,
            has_video=has_video,
            has_audio=self._player.hasAudio(),
            frame_rate=float(rate) if has_video and rate else 0.0,
        )

    def _drain(self) -> None:
        """Let pictures on their way arrive before the source changes under them."""
        if self._player.source().isEmpty() and self._device is None:
            return
        self._stop.emit()
        self._clear.emit(QUrl())
        waiting = QEventLoop(self)
        QTimer.singleShot(_DRAIN_MS, waiting, waiting.quit)
        waiting.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)

    def _set_source(self, path: Path) -> None:
        view = dress(path)
        self._device = _ViewDevice(view, self) if view is not None else None
        if self._device is not None:
            self._player.setSourceDevice(self._device, QUrl("view.mp4"))
        else:
            self._player.setSource(QUrl.fromLocalFile(str(path)))

    def _wait_for(self, *statuses: QMediaPlayer.MediaStatus) -> None:
        if self._player.mediaStatus() in statuses:
            return
        waiting = QEventLoop(self)
        self._player.mediaStatusChanged.connect(
            lambda status: waiting.quit() if status in statuses else None
        )
        QTimer.singleShot(_OPEN_MS, waiting, waiting.quit)
        waiting.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)

    def _wait_for_picture(self) -> None:
        if not self._media_facts.has_video:
            return
        waiting = QEventLoop(self)
        poll = QTimer(waiting)
        poll.setInterval(5)
        poll.timeout.connect(lambda: None if self._wanted_s is not None else waiting.quit())
        poll.start()
        QTimer.singleShot(_OPEN_MS, waiting, waiting.quit)
        waiting.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)

    def _set_state(self, state: PlayerState) -> None:
        is_new = state is not self._state
        self._state = state
        if is_new and self.state_sink is not None:
            self.state_sink(state)

    @property
    def _frame_rate(self) -> float:
        return self._media_facts.frame_rate or _DEFAULT_RATE

    @property
    def _media_facts(self) -> MediaFacts:
        if self._facts is None:
            raise PlayerError("player_empty")
        return self._facts
