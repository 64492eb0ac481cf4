"""Invented names in Chinese and English: persons by pinyin, companies from parts that rarely meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SURNAMES = (
    "王=Wang 李=Li 张=Zhang 刘=Liu 陈=Chen 杨=Yang 赵=Zhao 黄=Huang 周=Zhou 吴=Wu 徐=Xu "
    "孙=Sun 胡=Hu 朱=Zhu 高=Gao 林=Lin 何=He 郭=Guo 马=Ma 罗=Luo 梁=Liang 宋=Song 郑=Zheng "
    "谢=Xie 韩=Han 唐=Tang 冯=Feng 于=Yu 董=Dong 萧=Xiao 程=Cheng 曹=Cao 袁=Yuan 邓=Deng "
    "许=Xu 傅=Fu 沈=Shen 曾=Zeng 彭=Peng 吕=Lü 苏=Su 卢=Lu 蒋=Jiang 蔡=Cai 贾=Jia 丁=Ding "
    "魏=Wei 薛=Xue 叶=Ye 余=Yu 潘=Pan 杜=Du 戴=Dai 夏=Xia 钟=Zhong 汪=Wang 田=Tian 任=Ren "
    "姜=Jiang 范=Fan 方=Fang 石=Shi 姚=Yao 欧阳=Ouyang "
)

_GIVEN = (
    "伟=wei 敏=min 静=jing 丽=li 强=qiang 磊=lei 军=jun 洋=yang 勇=yong 艳=yan 杰=jie "
    "涛=tao 明=ming 超=chao 霞=xia 平=ping 刚=gang 玲=ling 辉=hui 鹏=peng 飞=fei 婷=ting "
    "雪=xue 倩=qian 浩=hao 宇=yu 轩=xuan 涵=han 晨=chen 曦=xi 瑶=yao 琪=qi 嘉=jia 欣=xin "
    "怡=yi 思=si 文=wen 博=bo 志=zhi 远=yuan 建=jian 国=guo 海=hai 燕=yan 佳=jia 慧=hui "
    "凯=kai 龙=long 颖=ying 蕾=lei 薇=wei 晓=xiao 东=dong 楠=nan 琳=lin 睿=rui 泽=ze "
    "阳=yang 娜=na 峰=feng 梅=mei 兰=lan 云=yun 天=tian 子=zi 若=ruo 诗=shi 雨=yu 俊=jun "
    "瑞=rui 新=xin 永=yong "
)

_BRAND_FIRST = (
    "澄=Cheng 霁=Ji 岚=Lan 屿=Yu 砚=Yan 樾=Yue 翊=Yi 昀=Yun 珩=Heng 沅=Yuan 榆=Yu 岱=Dai "
    "峤=Qiao 泓=Hong 涧=Jian 朔=Shuo 稷=Ji 笙=Sheng 骁=Xiao 钺=Yue 黎=Li 杉=Shan 栎=Li "
    "沚=Zhi 洵=Xun 漪=Yi 璟=Jing 睦=Mu 筠=Yun 缙=Jin 荟=Hui 萤=Ying 蓟=Ji 谧=Mi 郦=Li 霈=Pei "
    "韶=Shao 颢=Hao 鹭=Lu 麟=Lin "
)
_BRAND_SECOND = (
    "川=chuan 序=xu 汀=ting 原=yuan 禾=he 谷=gu 舟=zhou 庭=ting 野=ye 塬=yuan 桥=qiao "
    "岭=ling 泽=ze 峪=yu 渡=du 垣=yuan 畴=chou 津=jin 柏=bai 桐=tong 澜=lan 阙=que 衡=heng "
    "棠=tang 弦=xian 辰=chen 牧=mu 芒=mang 圃=pu 沐=mu 埔=pu 铎=duo 槿=jin 穗=sui 筑=zhu "
    "磐=pan 翎=ling 葭=jia 廷=ting 霖=lin "
)


def _pairs(words: str) -> list[tuple[str, str]]:
    return [(word.split("=")[0], word.split("=")[1]) for word in words.split()]


SURNAMES = _pairs(_SURNAMES)
"""Family names, the frequent ones first, with pinyin."""
GIVEN = _pairs(_GIVEN)

INDUSTRIES: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "机械制造",
        "Machinery",
        (
            ("精密机械", "Precision Machinery"),
            ("重工", "Heavy Industries"),
            ("自动化设备", "Automation Equipment"),
            ("数控机床", "Machine Tools"),
        ),
    ),
    (
        "电子信息",
        "Electronics",
        (
            ("电子科技", "Electronic Technology"),
            ("半导体", "Semiconductor"),
            ("光电科技", "Optoelectronics"),
            ("信息技术", "Information Technology"),
        ),
    ),
    (
        "汽车零部件",
        "Automotive parts",
        (("汽车零部件", "Auto Parts"), ("车辆科技", "Vehicle Technology"), ("动力科技", "Powertrain")),
    ),
    (
        "食品饮料",
        "Food and drink",
        (("食品", "Foods"), ("饮品", "Beverages"), ("农业科技", "Agricultural Technology")),
    ),
    (
        "医药健康",
        "Pharmaceuticals",
        (("制药", "Pharmaceutical"), ("医疗器械", "Medical Devices"), ("生物科技", "Biotechnology")),
    ),
    (
        "化工材料",
        "Chemicals",
        (("新材料", "Advanced Materials"), ("化工", "Chemical"), ("高分子材料", "Polymer Materials")),
    ),
    (
        "物流仓储",
        "Logistics",
        (("供应链管理", "Supply Chain"), ("物流", "Logistics"), ("仓储服务", "Warehousing")),
    ),
    ("零售连锁", "Retail", (("商贸", "Trading"), ("百货", "Department Stores"), ("电子商务", "E-Commerce"))),
    ("纺织服装", "Textiles", (("纺织", "Textile"), ("服饰", "Apparel"), ("家居用品", "Home Products"))),
    (
        "能源环保",
        "Energy",
        (("新能源", "New Energy"), ("环保科技", "Environmental Technology"), ("电力设备", "Power Equipment")),
    ),
)
"""What customers do: the industry's name, in English, and the words that stand in company names."""

_FORMS = (
    ("有限公司", "Co., Ltd.", 0.62),
    ("股份有限公司", "Inc.", 0.18),
    ("有限责任公司", "LLC", 0.12),
    ("集团有限公司", "Group Co., Ltd.", 0.08),
)


@dataclass(frozen=True)
class CompanyName:
    """An invented company: full and short Chinese name, English name, the industry's place."""

    full: str
    short: str
    english: str
    industry: int


def people(rng: np.random.Generator, count: int) -> list[tuple[str, str]]:
    """Return `count` persons as (Chinese name, English name): (王晓东, Wang Xiaodong)."""
    weights = 1.0 / (8.0 + np.arange(len(SURNAMES)))
    family = rng.choice(len(SURNAMES), count, p=weights / weights.sum()).tolist()
    first, second = rng.integers(len(GIVEN), size=(2, count)).tolist()
    single = (rng.random(count) < 0.14).tolist()
    found = []
    for f, a, b, short in zip(family, first, second, single, strict=True):
        given = [GIVEN[a]] if short or a == b else [GIVEN[a], GIVEN[b]]
        chinese = SURNAMES[f][0] + "".join(sign for sign, _pinyin in given)
        found.append((chinese, f"{SURNAMES[f][1]} {''.join(pinyin for _sign, pinyin in given).capitalize()}"))
    return found


def companies(rng: np.random.Generator, cities: list[tuple[str, str]]) -> list[CompanyName]:
    """Return one company a city given as (Chinese, English) name; no full name twice.

    Shape: city + brand + trade + legal form (苏州霁川精密机械有限公司, Suzhou Jichuan Precision
    Machinery Co., Ltd.). The brands pair characters that firms rarely use together.
    """
    count = len(cities)
    heads, tails = _pairs(_BRAND_FIRST), _pairs(_BRAND_SECOND)
    head = rng.integers(len(heads), size=count).tolist()
    tail = rng.integers(len(tails), size=count).tolist()
    industry = rng.integers(len(INDUSTRIES), size=count).tolist()
    trade = rng.random(count).tolist()
    form = rng.choice(len(_FORMS), count, p=[share for _zh, _en, share in _FORMS]).tolist()
    taken: set[str] = set()
    found = []
    for at, (city, city_en) in enumerate(cities):
        trades = INDUSTRIES[industry[at]][2]
        trade_zh, trade_en = trades[int(trade[at] * len(trades))]
        form_zh, form_en, _share = _FORMS[form[at]]
        for turn in range(len(heads) * len(tails) * len(_PLUS)):
            (a, a_en), (b, b_en) = (
                heads[(head[at] + turn // len(tails)) % len(heads)],
                tails[(tail[at] + turn) % len(tails)],
            )
            plus, plus_en = _PLUS[turn // (len(heads) * len(tails))]
            short = f"{a}{b}{plus}"
            full = f"{city}{short}{trade_zh}{form_zh}"
            if full not in taken:
                break
        taken.add(full)
        found.append(
            CompanyName(full, city + short, f"{city_en} {a_en}{b_en}{plus_en} {trade_en} {form_en}", industry[at])
        )
    return found


_PLUS = (
    ("", ""),
    ("达", "da"),
    ("恒", "heng"),
    ("瑞", "rui"),
    ("信", "xin"),
    ("成", "cheng"),
    ("源", "yuan"),
    ("通", "tong"),
)
