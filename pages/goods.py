from core.ui.administration_goods import draw
from core.ui.page import open_page

draw(open_page("goods"))
