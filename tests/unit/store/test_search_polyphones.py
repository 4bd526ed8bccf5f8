"""Fifty characters with several readings: each reading finds the title, a wrong one does not."""

from collections.abc import Iterator

import pytest

from client.store.search_store import SearchStore
from tests.search_room import find, groups, lesson, search_store

CASES = [
    # title, queries that find it, queries that do not
    ("重庆火锅", ("chongqing", "cqhg", "chongq", "zqhg"), ("chonqing",)),
    ("重要的实验", ("zhongyao", "zyds", "cyds"), ("zongyao",)),
    ("重叠问题", ("chongdie", "cdwt"), ("congdie",)),
    ("重阳节", ("chongyangjie", "cyj"), ("congyang",)),
    ("银行与还款", ("yinhang", "yhyhk", "huankuan"), ("yingxing",)),
    ("步行街的行人", ("buxingjie", "xingren", "bxjdxr"), ("puxing",)),
    ("行列与平行", ("hanglie", "pingxing", "hlypx"), ("hanlie",)),
    ("内行看门道", ("neihang", "nhkmd"), ("neihan看",)),
    ("长城", ("changcheng", "cc", "zhangcheng"), ("cangcheng",)),
    ("长大以后", ("zhangda", "zdyh"), ("zangda",)),
    ("校长的话", ("xiaozhang", "xzdh", "jiaozhang"), ("xaozhang",)),
    ("音乐的节拍", ("yinyue", "yydjp"), ("yingyue",)),
    ("快乐的节日", ("kuaile", "kldjr"), ("kuale",)),
    ("乐山大佛", ("leshan", "lsdf"), ("lashan",)),
    ("还有一朵云", ("haiyou", "hyydy"), ("hayou",)),
    ("还书", ("huanshu", "hs"), ("hunshu",)),
    ("教师节", ("jiaoshi", "jsj"), ("jaoshi",)),
    ("数数与数字", ("shushu", "ssysz", "shuoshu"), ("susu",)),
    ("参差的树", ("cenci", "ccds"), ("cencha的数",)),
    ("参加运动会", ("canjia", "cjydh"), ("sanja",)),
    ("人参与海参", ("renshen", "haishen", "rsyhs"), ("rensen",)),
    ("朝阳", ("zhaoyang", "chaoyang", "zy", "cy"), ("shaoyang",)),
    ("唐朝的诗", ("tangchao", "tcds"), ("tangcao",)),
    ("曾经的我", ("cengjing", "cjdw"), ("chengjing",)),
    ("曾祖母", ("zengzumu", "zzm"), ("zhengzumu",)),
    ("西藏的天", ("xizang", "xzdt"), ("xizhang",)),
    ("捉迷藏", ("zhuomicang", "zmc"), ("zhuomichang",)),
    ("名人传记", ("zhuanji", "mrzj"), ("zuanji",)),
    ("民间传说", ("chuanshuo", "mjcs"), ("cuanshuo",)),
    ("首都与都市", ("shoudu", "dushi", "sdyds"), ("soudu",)),
    ("都来数一数", ("doulai", "dlsys"), ("dolai",)),
    ("和平与和面", ("heping", "huomian", "hpyhm"), ("hepin与huanmian",)),
    ("角色与角度", ("juese", "jiaodu", "jsyjd"), ("jusei",)),
    ("睡觉与觉得", ("shuijiao", "juede", "sjyjd"), ("suijiao",)),
    ("一切与切西瓜", ("yiqie", "qiexigua", "yqyqxg"), ("yiqe",)),
    ("似的与似乎", ("shide", "sihu", "sdysh"), ("shidi与xihu",)),
    ("星宿与宿舍", ("xingxiu", "sushe", "xxyss"), ("xingxiou",)),
    ("调查与调皮", ("diaocha", "tiaopi", "dcytp"), ("daocha",)),
    ("反应与应当", ("fanying", "yingdang", "fyyyd"), ("faying",)),
    ("正月十五", ("zhengyue", "zysw"), ("zengyue",)),
    ("种子与种植", ("zhongzi", "zhongzhi", "zzyzz"), ("zongzi",)),
    ("着急与看着", ("zhaoji", "kanzhe", "zjykz"), ("zaoji",)),
    ("绿色的旅行", ("lvse", "luse", "lvxing", "lse"), ("nvse",)),
    ("女孩", ("nvhai", "nuhai", "nh", "nühai"), ("lvhai",)),
    ("略读与侵略", ("lvedu", "luedu", "qinlve", "qinlüe"), ("ledu",)),
    ("吐蕃与唐", ("tubo", "tbyt", "tufan"), ("tupo",)),
    ("单于与汉", ("chanyu", "danyu", "cyyh"), ("chenyu",)),
    ("厦门与大厦", ("xiamen", "dasha", "xmyds"), ("samen",)),
    ("六安的茶", ("luan", "liuan", "ladc"), ("louan",)),
    ("血液循环", ("xueye", "xieye", "xyxh"), ("xuye",)),
    ("了解与走了", ("liaojie", "zoule", "ljyzl"), ("laojie",)),
    ("地得的用法", ("dedede", "didede", "ddd"), ("dadede",)),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchStore]:
    with search_store(tmp_path_factory.mktemp("polyphones")) as made:
        made.rebuild(groups(LESSONS))
        yield made


LESSONS = [lesson(n, title, place=("", "", "", "", "")) for n, (title, _, _) in enumerate(CASES)]


def test_there_are_fifty() -> None:
    assert len(CASES) >= 50


@pytest.mark.parametrize(("title", "right", "wrong"), CASES, ids=[case[0] for case in CASES])
def test_every_reading_finds_the_title_u3(
    title: str, right: tuple[str, ...], wrong: tuple[str, ...], store: SearchStore
) -> None:
    wanted = next(one.id for one in LESSONS if one.title == title)

    assert {query for query in right if wanted not in find(store, LESSONS, query)} == set()
    assert {query for query in wrong if wanted in find(store, LESSONS, query)} == set()
