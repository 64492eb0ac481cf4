"""What a file can bring: kinds of file, their fields, and the names that people give the columns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.i18n import N_


class FileKind(StrEnum):
    """What the rows of a file are."""

    DEALS = "deals"
    ACCOUNTS = "accounts"
    PRODUCTS = "products"
    PEOPLE = "people"
    ORDERS = "orders"
    HISTORY = "history"
    NONE = "none"


KIND_NAMES = {
    FileKind.DEALS: N_("Deals"),
    FileKind.ACCOUNTS: N_("Customers"),
    FileKind.PRODUCTS: N_("Products"),
    FileKind.PEOPLE: N_("Reps and teams"),
    FileKind.ORDERS: N_("Order lines (won deals)"),
    FileKind.HISTORY: N_("Stage history (a log)"),
    FileKind.NONE: N_("Leave this file out"),
}


@dataclass(frozen=True)
class Field:
    """One fact of a kind.

    `words` are column names that mean it, the surest first; those of `faint` mean it only where no
    other column does. `many` columns may fill it together. A required field may be left open where
    one of `instead` is filled.
    """

    name: str
    label: str
    words: tuple[str, ...]
    required: bool = False
    faint: tuple[str, ...] = ()
    many: bool = False
    instead: tuple[str, ...] = ()


def _field(
    name: str, label: str, words: str, *, required: bool = False, faint: str = "", many: bool = False,
    instead: tuple[str, ...] = (),
) -> Field:  # fmt: skip
    split = [tuple(word.strip() for word in text.split("|") if word.strip()) for text in (words, faint)]
    return Field(name, label, split[0], required, split[1], many, instead)


_NOTE = _field("note", N_("Note"), "note|notes|comment|remarks|description|备注|说明", many=True)
_REP = (
    "sales agent|sales rep|salesperson|rep|owner|agent|seller|account manager|销售|销售员|"
    "销售人员|业务员|负责人|跟进人|销售代表"
)
_CUSTOMER = (
    "account|account name|customer|customer name|client|company|company name|客户|客户名称|公司|公司名称|客户姓名"
)
_AMOUNT = (
    "amount|close value|deal value|value|deal amount|price|total|net amount|金额|成交金额|签约额|商机金额|合同金额"
)
_CURRENCY = _field("currency", N_("Currency"), "currency|currency code|币种|货币|幣別")
_LOST = "lost reason|loss reason|reason lost|close reason|输单原因|丢单原因|流失原因"

FIELDS: dict[FileKind, tuple[Field, ...]] = {
    FileKind.DEALS: (
        _field("external_id", N_("Deal number"), "opportunity id|deal id|deal number|id|"
            "opportunity number|商机编号|商机id|编号|单号"),
        _field("name", N_("Deal name"), "deal name|opportunity name|opportunity|deal|title|"
            "商机名称|商机|项目名称|名称", faint="name"),
        _field("customer", N_("Customer"), _CUSTOMER, required=True, instead=("customer_id",)),
        _field("customer_id", N_("Customer number"), "customer id|account id|client id|客户编号|客户id"),
        _field("owner", N_("Rep"), _REP),
        _field("product", N_("Product"), "product|product name|产品|产品名称|商品|商品名称"),
        _field("quantity", N_("Quantity"), "quantity|qty|数量"),
        _field("stage", N_("Stage"), "deal stage|stage|status|sales stage|pipeline stage|阶段|"
            "销售阶段|商机阶段|状态", required=True),
        _field("opened_on", N_("Opening day"), "engage date|created date|open date|opened on|"
            "created on|create date|created at|start date|创建日期|创建时间|开始日期|立项日期"),
        _field("closed_on", N_("Closing day"), "close date|closed date|closed on|closed at|"
            "won date|成交日期|关闭日期|结束日期|签约日期"),
        _field("expected_close_on", N_("Expected close"), "expected close|expected close date|"
            "forecast close|预计成交日期|预计成交|预计签约日期|预计关闭日期"),
        _field("amount", N_("Amount"), _AMOUNT),
        _CURRENCY,
        _field("channel", N_("Channel"), "channel|lead source|source|渠道|来源|线索来源"),
        _field("lost_reason", N_("Lost reason"), _LOST),
        _NOTE,
    ),
    FileKind.ACCOUNTS: (
        _field("external_id", N_("Customer number"), "account id|customer id|client id|id|客户编号|客户id|编号"),
        _field("name", N_("Customer"), _CUSTOMER, required=True, faint="name|名称"),
        _field("name_en", N_("Name in English"), "english name|name en|英文名|英文名称"),
        _field("segment", N_("Customer type"), "segment|customer type|type|客户类型|类型|客户类别"),
        _field("industry", N_("Industry"), "sector|industry|行业|所属行业"),
        _field("size", N_("Size"), "employees|size|headcount|company size|人数|规模|员工人数"),
        _field("country", N_("Country"), "office location|country|country or region|国家|国家或地区"),
        _field("territory", N_("Territory"), "territory|region|area|销售区域|区域|大区|地区"),
        _field("city", N_("City"), "city|城市"),
        _field("address", N_("Address"), "address|street|地址|省份|province"),
        _field("phone", N_("Phone"), "phone|telephone|tel|mobile|电话|手机|联系电话"),
        _field("website", N_("Website"), "website|url|homepage|网站|网址|官网"),
        _field("owner", N_("Rep"), _REP),
        _field("note", N_("Note"), "note|notes|comment|remarks|备注|revenue|year established|"
            "subsidiary of|annual revenue|年收入|成立年份|母公司", many=True),
    ),
    FileKind.PRODUCTS: (
        _field("external_id", N_("Product number"), "product id|product code|sku|code|产品编号|"
            "商品编号|产品id|编码"),
        _field("name", N_("Product"), "product|product name|产品|产品名称|商品|"
            "商品名称", required=True, faint="name|名称"),
        _field("name_en", N_("Name in English"), "english name|name en|英文名|英文名称"),
        _field("category", N_("Product category"), "series|category|product type|product line|"
            "family|类别|系列|产品类别|分类|品类"),
        _field("price", N_("Product list price"), "sales price|list price|price|unit price|"
            "retail price|标价|单价|价格|零售价"),
        _field("cost", N_("Product cost"), "unit cost|cost|cost price|standard cost|成本|单位成本|成本价|标准成本"),
        _CURRENCY,
        _field("unit", N_("Unit"), "unit|单位"),
        _field("specification", N_("Specification"), "specification|spec|规格|型号"),
    ),
    FileKind.PEOPLE: (
        _field("external_id", N_("Staff number"), "employee id|staff id|rep id|agent id|工号|员工编号"),
        _field("name", N_("Rep"), _REP, required=True, faint="name|employee|姓名|名字"),
        _field("team", N_("Team"), "manager|sales manager|team|team name|department|团队|部门|经理|销售经理|主管"),
        _field("territory", N_("Territory"), "regional office|territory|region|office|area|"
            "销售区域|区域|大区|办事处|地区"),
        _field("email", N_("E-mail address"), "email|e-mail|mail|邮箱|电子邮件"),
        _field("joined_on", N_("Joined on"), "joined|joined on|hire date|start date|入职日期|入职时间"),
        _field("left_on", N_("Left on"), "left|left on|end date|leave date|离职日期|离职时间"),
    ),
    FileKind.ORDERS: (
        _field("order", N_("Order number"), "order id|order number|order no|invoice|invoice no|"
            "订单编号|订单号|订单id|单号"),
        _field("line", N_("Line number"), "line id|row id|id|行号|行id|序号"),
        _field("day", N_("Order day"), "order date|invoice date|date|purchase date|订单日期|"
            "下单日期|日期|购买日期", required=True),
        _field("customer_id", N_("Customer number"), "customer id|client id|account id|客户编号|客户id"),
        _field("customer", N_("Customer"), "customer name|customer|client|account|客户名称|"
            "客户姓名|客户", required=True, instead=("customer_id", "first_name", "last_name")),
        _field("first_name", N_("First name"), "first name|given name|forename|名"),
        _field("last_name", N_("Last name"), "last name|surname|family name|姓|姓氏"),
        _field("email", N_("E-mail address"), "email|e-mail|mail|email address|邮箱|电子邮件|客户邮箱"),
        _field("segment", N_("Customer type"), "customer type|segment|客户类型|细分"),
        _field("territory", N_("Territory"), "area|region|territory|大区|区域|地区|销售区域"),
        _field("country", N_("Country"), "country or region|country|国家|国家或地区"),
        _field("address", N_("Address"), "province|state|address|省份|省|省/自治区|地址"),
        _field("city", N_("City"), "city|城市"),
        _field("product_id", N_("Product number"), "product id|product code|sku|产品编号|产品id|商品编号"),
        _field("product", N_("Product"), "product name|product|item|产品名称|产品|商品名称|商品"),
        _field("category", N_("Product category"), "product sub type|sub category|subcategory|"
            "category|product type|子类别|二级分类|类别|产品类别"),
        _field("amount", N_("Line value"), "sales|sales amount|line total|net sales|revenue|销售额|"
            "销售金额|成交额|金额", required=True, faint="amount|total|value"),
        _CURRENCY,
        _field("quantity", N_("Quantity"), "quantity|qty|数量|件数", faint="amount"),
        _field("discount", N_("Discount"), "discount|discount rate|折扣"),
        _field("profit", N_("Profit"), "profit|利润"),
        _field("owner", N_("Rep"), _REP),
        _field("channel", N_("Channel"), "channel|source|渠道|来源"),
        _NOTE,
    ),
    FileKind.HISTORY: (
        _field("deal", N_("Deal number"), "deal|deal id|case|case id|case concept name|"
            "opportunity id|opportunity|商机编号|商机|案件|申请编号", required=True),
        _field("stage", N_("Stage"), "stage|to stage|new stage|activity|concept name|status|event|"
            "阶段|新阶段|变更后阶段|状态", required=True),
        _field("at", N_("Time"), "time|timestamp|at|changed at|date|time timestamp|effective at|"
            "event time|时间|变更时间|日期|发生时间", required=True),
        _field("person", N_("Rep"), _REP + "|person|user|resource|org resource|changed by|人员|操作人|变更人"),
        _field("amount", N_("Amount"), _AMOUNT + "|amount requested|case amount req|amount req"),
        _CURRENCY,
        _field("customer", N_("Customer"), _CUSTOMER),
        _field("product", N_("Product"), "product|product name|产品|产品名称"),
        _field("expected_close_on", N_("Expected close"), "expected close|expected close date|预计成交日期"),
        _field("lost_reason", N_("Lost reason"), _LOST),
    ),
}  # fmt: skip


AMOUNTS = {
    FileKind.DEALS: "amount", FileKind.ORDERS: "amount", FileKind.HISTORY: "amount", FileKind.PRODUCTS: "price",
}  # fmt: skip
"""The field of each kind that holds money."""


def field_names(kind: FileKind) -> tuple[str, ...]:
    """Return the names of a kind's fields."""
    return tuple(found.name for found in FIELDS.get(kind, ()))


WON_WORDS = frozenset({"won", "closedwon", "win", "赢单", "成交", "已成交", "签约", "已签约", "赢", "成单"})
LOST_WORDS = frozenset(
    {"lost", "closedlost", "loss", "输单", "丢单", "流失", "失败", "已流失", "输", "declined", "cancelled"}
)

INDUSTRIES = (
    "technology", "software", "medical", "healthcare", "retail", "finance", "banking", "insurance", "marketing",
    "entertainment", "employment", "services", "telecommunications", "manufacturing", "education", "energy",
    "government", "construction", "transportation", "logistics", "hospitality", "agriculture", "automotive",
    "pharmaceutical", "real estate", "media", "consulting", "electronics", "chemicals", "mining", "utilities",
    "科技", "软件", "医疗", "零售", "金融", "银行", "保险", "教育", "制造", "制造业", "能源", "政府", "建筑",
    "交通", "物流", "农业", "汽车", "制药", "房地产", "传媒", "咨询", "电子", "化工", "互联网", "通信", "电信",
)  # fmt: skip
