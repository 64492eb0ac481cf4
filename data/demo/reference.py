"""The demo company's fixed surroundings: teams, territories, goods, reasons, competitors, holidays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

COMPANY = ("衡野智造", "Hengye Smart Manufacturing")


@dataclass(frozen=True)
class TeamPlan:
    """A team, the place of its parent in `TEAMS`, its share of the reps and its territory's place."""

    name: str
    name_en: str
    parent: int | None
    reps: int
    territory: int


TERRITORIES: tuple[tuple[str, str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "central-west",
        "中西部",
        "Central and West",
        (
            ("成都", "Chengdu"),
            ("重庆", "Chongqing"),
            ("武汉", "Wuhan"),
            ("西安", "Xi'an"),
            ("长沙", "Changsha"),
            ("郑州", "Zhengzhou"),
            ("昆明", "Kunming"),
        ),
    ),
    (
        "east",
        "华东",
        "East China",
        (("合肥", "Hefei"), ("南昌", "Nanchang"), ("济南", "Jinan"), ("青岛", "Qingdao"), ("芜湖", "Wuhu")),
    ),
    ("shanghai", "上海", "Shanghai", (("上海", "Shanghai"),)),
    (
        "jiangsu-zhejiang",
        "苏浙",
        "Jiangsu and Zhejiang",
        (
            ("苏州", "Suzhou"),
            ("南京", "Nanjing"),
            ("无锡", "Wuxi"),
            ("杭州", "Hangzhou"),
            ("宁波", "Ningbo"),
            ("常州", "Changzhou"),
            ("嘉兴", "Jiaxing"),
        ),
    ),
    (
        "north",
        "华北",
        "North China",
        (
            ("北京", "Beijing"),
            ("天津", "Tianjin"),
            ("石家庄", "Shijiazhuang"),
            ("太原", "Taiyuan"),
            ("沈阳", "Shenyang"),
            ("大连", "Dalian"),
        ),
    ),
    (
        "south",
        "华南",
        "South China",
        (
            ("深圳", "Shenzhen"),
            ("广州", "Guangzhou"),
            ("东莞", "Dongguan"),
            ("佛山", "Foshan"),
            ("厦门", "Xiamen"),
            ("珠海", "Zhuhai"),
        ),
    ),
)
"""Code, names, and the cities with their English names."""

TEAMS = (
    TeamPlan("全国销售中心", "National Sales", None, 5, 0),
    TeamPlan("华东大区", "East China", 0, 5, 1),
    TeamPlan("上海团队", "Shanghai", 1, 8, 2),
    TeamPlan("苏浙团队", "Jiangsu and Zhejiang", 1, 8, 3),
    TeamPlan("华北大区", "North China", 0, 7, 4),
    TeamPlan("华南大区", "South China", 0, 7, 5),
)
"""A tree of three levels; the centre itself sells in the central and western provinces."""

SEGMENTS = ("大型企业", "中型企业", "小微企业")
SIZES = (("2000人以上", "500-1999人"), ("200-499人", "100-199人"), ("20-99人", "20人以下"))


@dataclass(frozen=True)
class ProductPlan:
    """A product, its weight among deals, the usual value of a deal and its specifications (yuan)."""

    code: str
    name: str
    name_en: str
    category: str
    weight: float
    usual: int
    skus: tuple[tuple[str, str, int], ...]


CATEGORIES = ("软件", "硬件", "服务")

PRODUCTS = (
    ProductPlan(
        "MES",
        "生产执行系统",
        "Manufacturing execution system",
        "软件",
        0.12,
        260_000,
        (("标准版", "套", 98_000), ("企业版", "套", 198_000)),
    ),
    ProductPlan(
        "WMS",
        "仓储管理系统",
        "Warehouse management system",
        "软件",
        0.09,
        180_000,
        (("标准版", "套", 68_000), ("企业版", "套", 128_000)),
    ),
    ProductPlan(
        "QTS",
        "质量追溯系统",
        "Quality tracing system",
        "软件",
        0.08,
        150_000,
        (("标准版", "套", 58_000), ("企业版", "套", 108_000)),
    ),
    ProductPlan(
        "EMP",
        "能耗监测平台",
        "Energy monitoring platform",
        "软件",
        0.08,
        120_000,
        (("单厂版", "套", 45_000), ("集团版", "套", 98_000)),
    ),
    ProductPlan(
        "BI",
        "数据驾驶舱",
        "Data cockpit",
        "软件",
        0.07,
        80_000,
        (("10用户", "套", 26_000), ("50用户", "套", 66_000)),
    ),
    ProductPlan(
        "GW",
        "设备联网网关",
        "Machine gateway",
        "硬件",
        0.11,
        60_000,
        (("4口", "台", 2_800), ("16口", "台", 6_800)),
    ),
    ProductPlan(
        "EDGE",
        "边缘计算盒",
        "Edge computer",
        "硬件",
        0.08,
        75_000,
        (("基础型", "台", 5_600), ("增强型", "台", 9_800)),
    ),
    ProductPlan(
        "VIS",
        "视觉检测工作站",
        "Visual inspection station",
        "硬件",
        0.09,
        320_000,
        (("单工位", "台", 86_000), ("双工位", "台", 158_000)),
    ),
    ProductPlan(
        "PAD",
        "工业平板",
        "Industrial tablet",
        "硬件",
        0.08,
        45_000,
        (("10寸", "台", 3_200), ("15寸", "台", 4_900)),
    ),
    ProductPlan(
        "LBL",
        "条码打印套件",
        "Barcode printing kit",
        "硬件",
        0.07,
        28_000,
        (("桌面型", "套", 1_900), ("工业型", "套", 6_200)),
    ),
    ProductPlan(
        "IMP",
        "实施服务",
        "Implementation service",
        "服务",
        0.07,
        90_000,
        (("现场人天", "人天", 2_200), ("远程人天", "人天", 1_500)),
    ),
    ProductPlan(
        "CARE",
        "年度运维服务",
        "Yearly care plan",
        "服务",
        0.06,
        50_000,
        (("银牌", "年", 18_000), ("金牌", "年", 36_000)),
    ),
)

LOST_REASONS = ("price", "competitor", "no-budget", "no-decision", "fit", "timing", "unreachable", "unknown")
LOST_REASON_SHARES = (
    (0.04, 0.04, 0.18, 0.08, 0.20, 0.14, 0.24, 0.08),
    (0.06, 0.08, 0.20, 0.10, 0.18, 0.14, 0.18, 0.06),
    (0.12, 0.14, 0.18, 0.12, 0.24, 0.10, 0.05, 0.05),
    (0.20, 0.26, 0.10, 0.14, 0.18, 0.06, 0.03, 0.03),
    (0.36, 0.28, 0.10, 0.14, 0.03, 0.05, 0.02, 0.02),
)
"""A row for each open stage that the deal was lost from: the chances of `LOST_REASONS`."""

COMPETITORS = ("远图工业软件", "蓝栈智控", "鼎策信息", "云枢制造", "Northgate Automation", "Vesta Systems")

SUBJECTS = {
    "visit": ("拜访客户，了解现场情况", "到厂调研产线需求", "拜访决策人", "现场勘察与测量"),
    "call": ("电话跟进项目进展", "电话确认需求细节", "回访试用情况", "电话沟通报价"),
    "email": ("发送产品资料", "发送方案与报价", "邮件确认会议纪要", "发送合同草稿"),
    "message": ("微信跟进进度", "微信发送案例", "微信约定拜访时间", "微信确认付款条件"),
    "meeting": ("方案演示会", "技术交流会", "商务谈判", "需求评审会"),
}
ACTIVITY_SHARES = {"visit": 0.18, "call": 0.34, "email": 0.16, "message": 0.20, "meeting": 0.12}
"""Kinds by frequency, with subjects in `SUBJECTS`."""

ZONES = ("高新区", "经济开发区", "工业园区", "城北新区")
ROADS = (
    "创业路",
    "科技大道",
    "兴业街",
    "通达路",
    "云桥路",
    "长安街",
    "金穗路",
    "东风大道",
    "明湖路",
    "学院路",
    "滨河路",
    "锦绣路",
    "新港路",
)

TITLES = ("总经理", "采购经理", "生产总监", "信息部主任", "设备科长", "厂长", "财务经理", "项目经理")

SPRING_FESTIVALS = tuple(
    date.fromisoformat(day)
    for day in (
        "2015-02-19",
        "2016-02-08",
        "2017-01-28",
        "2018-02-16",
        "2019-02-05",
        "2020-01-25",
        "2021-02-12",
        "2022-02-01",
        "2023-01-22",
        "2024-02-10",
        "2025-01-29",
        "2026-02-17",
        "2027-02-06",
        "2028-01-26",
        "2029-02-13",
        "2030-02-03",
        "2031-01-23",
        "2032-02-11",
        "2033-01-31",
        "2034-02-19",
        "2035-02-08",
        "2036-01-28",
        "2037-02-15",
        "2038-02-04",
        "2039-01-24",
        "2040-02-12",
    )
)
"""The first day of the lunar year (Hong Kong Observatory's tables)."""

USUAL_RATES = {
    "CNY": 1.0, "USD": 7.12, "EUR": 7.76, "HKD": 0.912, "JPY": 0.0474, "GBP": 9.12, "SGD": 5.38, "TWD": 0.227,
    "KRW": 0.00521, "AUD": 4.68, "CAD": 5.16, "CHF": 8.21, "SEK": 0.691, "THB": 0.206, "MYR": 1.59, "INR": 0.0842,
}  # fmt: skip
"""What currencies were worth in yuan about the middle of the history; a company may have each as its own."""

FOREIGN = ("USD", "EUR", "CNY")
"""Some deals are in the first two of these that are not the company's own currency."""
