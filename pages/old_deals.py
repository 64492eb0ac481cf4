from core.ui.deal_cleanup import draw
from core.ui.page import open_page

draw(open_page("old_deals"))
