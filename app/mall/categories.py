"""What offers are sorted under (商品类目): a fixed list, so that a filter means one thing."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class Category(StrEnum):
    """What an offer is sorted under."""

    FOOD = "food"
    TRANSIT = "transit"
    BIKES = "bikes"
    HOME = "home"
    REUSE = "reuse"
    CULTURE = "culture"
    SPORT = "sport"
    PARKS = "parks"
    SERVICES = "services"
    CHARITY = "charity"


class Titles(NamedTuple):
    """What people read."""

    zh: str
    en: str


CATEGORIES: Final[Mapping[Category, Titles]] = {
    Category.FOOD: Titles("餐饮食品", "Food and drink"),
    Category.TRANSIT: Titles("公共交通", "Public transport"),
    Category.BIKES: Titles("骑行", "Cycling"),
    Category.HOME: Titles("绿色家居", "Green home"),
    Category.REUSE: Titles("二手与维修", "Second hand and repair"),
    Category.CULTURE: Titles("文化演出", "Culture"),
    Category.SPORT: Titles("运动健身", "Sport"),
    Category.PARKS: Titles("公园景区", "Parks and sights"),
    Category.SERVICES: Titles("生活服务", "Services"),
    Category.CHARITY: Titles("公益", "Public causes"),
}
"""In the order in which they are shown."""
