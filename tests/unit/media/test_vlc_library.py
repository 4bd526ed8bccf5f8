"""Finding libvlc and a sound output."""

import builtins
import subprocess
import sys

import pytest

from client.domain.errors import PlayerError
from client.media import vlc_library
from client.media.choose import choose_player
from client.media.null_player import NullPlayer


def test_importing_the_player_loads_nothing(project_root):
    """L1."""
    code = (
        "import sys; import client.media.vlc_player, client.media.probe;"
        "sys.exit('vlc' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=project_root, check=False).returncode == 0
    )


def test_a_machine_without_vlc_gets_a_named_error(monkeypatch):
    """L1."""
    real = builtins.__import__

    def missing(name, *rest, **more):
        if name == "vlc":
            raise OSError("libvlc.so.5: cannot open shared object file")
        return real(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "vlc", raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(PlayerError) as caught:
        vlc_library.bindings()
    assert caught.value.code == "player_missing"


@pytest.mark.parametrize(
    ("environ", "platform", "card", "expected"),
    [
        ({"TONGKE_AOUT": "alsa"}, "linux", False, "alsa"),
        ({"TONGKE_AOUT": "dummy"}, "win32", True, "dummy"),
        ({}, "win32", False, ""),
        ({}, "linux", True, ""),
        ({"PULSE_SERVER": "tcp:1.2.3.4"}, "linux", False, ""),
        ({}, "linux", False, "dummy"),
    ],
)
def test_the_sound_output_is_chosen_by_table(environ, platform, card, expected):
    """L2."""
    assert vlc_library.choose_aout(environ, platform, has_sound_card=card) == expected


def test_a_sound_card_is_one_the_system_lists(tmp_path):
    cards = tmp_path / "cards"
    assert not vlc_library.has_sound_card(cards, tmp_path)
    cards.write_text("--- no soundcards ---\n")
    assert not vlc_library.has_sound_card(cards, tmp_path)
    cards.write_text(" 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n")
    assert vlc_library.has_sound_card(cards, tmp_path)
    cards.unlink()
    (tmp_path / "pulse").mkdir()
    (tmp_path / "pulse" / "native").touch()
    assert vlc_library.has_sound_card(cards, tmp_path)


def test_the_first_player_that_can_be_made_is_chosen():
    from client.domain.clock import FrozenClock

    def cannot():
        raise PlayerError("player_missing")

    chosen = choose_player((cannot, lambda: NullPlayer(FrozenClock())))
    assert isinstance(chosen, NullPlayer)
    with pytest.raises(PlayerError) as caught:
        choose_player((cannot, cannot))
    assert caught.value.code == "no_player"
