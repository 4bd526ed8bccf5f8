"""A1 to A3: which addresses may be asked, and where they are reached."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.catalogue import FileUse, RemoteFile
from client.domain.errors import ProtocolError
from sync.source.addresses import AddressBook, load_hosts

BASE = "http://127.0.0.1:8099"
HOST = "https://{}.ykt.cbern.com.cn"
TREE = "/zxx/ndrv2/national_lesson/trees/x.json"


def test_without_a_base_a_path_is_asked_of_all_catalogue_hosts() -> None:
    """A1, A3."""
    book = AddressBook()
    assert book.resolve(TREE) == tuple(HOST.format(f"s-file-{n}") + TREE for n in (1, 2, 3))
    asked = book.resolve(HOST.format("s-file-2") + TREE + "?a=1")
    assert asked[0] == HOST.format("s-file-2") + TREE + "?a=1"
    assert len(asked) == 3
    assert not book.is_loopback


def test_with_a_base_every_host_is_found_below_it() -> None:
    """A1."""
    book = AddressBook(BASE + "/")
    assert (
        book.resolve(HOST.format("r2-ndr-private") + "/a.pdf")[0] == BASE + "/r2-ndr-private/a.pdf"
    )
    assert book.resolve(BASE + "/s-file-3/zxx/a.json")[0] == BASE + "/s-file-3/zxx/a.json"
    assert book.resolve(BASE + "/elsewhere/a.json") == (BASE + "/elsewhere/a.json",)
    assert book.resolve(BASE + "/alone") == (BASE + "/alone",)
    assert book.resolve(HOST.format("grey-config") + "/c.json") == (BASE + "/grey-config/c.json",)
    assert book.redirect(HOST.format("r3-ndr") + "/x.jpg") == BASE + "/r3-ndr/x.jpg"
    assert book.is_loopback
    assert not AddressBook("https://county.example").is_loopback


@pytest.mark.parametrize(
    "url",
    [
        "http://s-file-1.ykt.cbern.com.cn/a",
        "https://s-file-9.ykt.cbern.com.cn/a",
        "https://ykt.cbern.com.cn/a",
        "https://a.s-file-1.ykt.cbern.com.cn/a",
        "https://s-file-1.ykt.cbern.com.cn.evil.example/a",
        "https://evil.example/s-file-1.ykt.cbern.com.cn/a",
        "https://user@s-file-1.ykt.cbern.com.cn/a",
        "https://s-file-1.ykt.cbern.com.cn:8443/a",
        "https://s-file-1.ykt.cbern.com.cn:port/a",
        "https://s-file-1.ykt.cbern.com.cn",
        "https://s-file-1.ykt.cbern.com.cn/a/../b",
        "https://s-file-1.ykt.cbern.com.cn/a/%2e%2e/b",
        "https://ndvideo-key.ykt.cbern.com.cn/v1/k",
        "//evil.example/a",
        "file:///etc/passwd",
        "relative/path",
        "https://[broken/a",
        "",
    ],
)
def test_strangers_are_refused(url: str) -> None:
    """A1, A2."""
    for book in (AddressBook(), AddressBook(BASE)):
        if "s-file-9" in url and book.is_loopback:
            continue
        with pytest.raises(ProtocolError, match="address_refused"):
            book.resolve(url)
        assert not book.is_private(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:80/s-file-1/a",
        "http://127.0.0.1:80991/s-file-1/a",
        "http://127.0.0.1:8099.evil.example/a",
        "https://127.0.0.1:8099/s-file-1/a",
        BASE + "/ndvideo-key/v1/k",
        BASE + "/s-file-1/../ndvideo-key/k",
        BASE + "/%6edvideo-key/k",
    ],
)
def test_nothing_beside_the_base_is_reached(url: str) -> None:
    """A1, A2."""
    with pytest.raises(ProtocolError, match="address_refused"):
        AddressBook(BASE).resolve(url)


@given(st.text(max_size=60))
def test_whatever_is_named_stays_below_the_base_or_is_refused(text: str) -> None:
    """A1."""
    book = AddressBook(BASE)
    for url in (text, "/" + text, "https://" + text, HOST.format("r1-ndr") + "/" + text):
        try:
            found = book.resolve(url)
        except ProtocolError:
            continue
        assert all(address.startswith(BASE + "/") for address in found)


@pytest.mark.parametrize(
    "base", ["ftp://x", "http://", "http://u@x/", "http://x/?q=1", "http://[x", "x"]
)
def test_a_base_must_be_plain(base: str) -> None:
    with pytest.raises(ProtocolError, match="address_refused"):
        AddressBook(base)


def test_the_mirror_that_answered_is_asked_first() -> None:
    """A3."""
    book = AddressBook(BASE)
    first, second, third = book.resolve(TREE)
    book.failed(first)
    assert book.resolve(TREE) == (second, third, first)
    book.failed(third)
    assert book.resolve(TREE)[0] == second
    book.worked(third)
    assert book.resolve(TREE)[0] == third
    assert book.resolve(HOST.format("s-file-2") + TREE)[0] == third
    assert book.resolve("/p", "media")[0] == BASE + "/r1-ndr-private/p"
    book.failed(BASE + "/elsewhere/a")
    assert book.resolve(TREE)[0] == third


def test_a_file_is_asked_of_all_its_hosts_once() -> None:
    book = AddressBook(BASE)
    path = "/edu_product/a.pdf"

    def file(*urls: str) -> RemoteFile:
        return RemoteFile(path=path, urls=urls, format="pdf", flags=(), use=FileUse.DOCUMENT)

    mirrors = tuple(f"{BASE}/r{n}-ndr-private{path}" for n in (1, 2, 3))
    official = [HOST.format(f"r{n}-ndr-private") + path for n in (1, 2, 3)]
    assert book.media_urls(file(*official)) == mirrors
    assert book.media_urls(file()) == mirrors
    assert book.media_urls(file("https://evil.example/a.pdf", official[0])) == mirrors
    with pytest.raises(ProtocolError, match="address_refused"):
        book.media_urls(file("https://evil.example/a.pdf"))


def test_what_is_kept_is_free_of_the_base() -> None:
    book = AddressBook(BASE)
    official = HOST.format("r2-ndr-private") + "/a.pdf"
    assert book.logical(BASE + "/r2-ndr-private/a.pdf") == official
    assert book.logical(official) == official
    assert (
        AddressBook("http://10.0.0.1").resolve(official)[0]
        == "http://10.0.0.1/r2-ndr-private/a.pdf"
    )
    assert book.logical(BASE + "/elsewhere/a.pdf") == BASE + "/elsewhere/a.pdf"
    assert book.path_of(BASE + "/r2-ndr-private/a.pdf") == book.path_of(official) == "/a.pdf"


def test_only_private_hosts_are_given_the_login() -> None:
    book = AddressBook(BASE)
    assert book.is_private(BASE + "/r1-ndr-private/a.pdf")
    assert book.is_private(HOST.format("r1-ndr-doc-private") + "/a.pdf")
    assert not book.is_private(BASE + "/r1-ndr/a.jpg")
    assert not book.is_private(BASE + "/s-file-1/zxx/a.json")
    assert not book.is_private("https://evil.example/r1-ndr-private/a.pdf")


def test_the_hosts_are_data() -> None:
    hosts = load_hosts()
    assert hosts.family_of("r2-ndr-private") == hosts.families["media"]
    assert hosts.family_of("nobody") == ("nobody",)
    assert hosts.private < hosts.listed
    assert not hosts.never & hosts.listed
