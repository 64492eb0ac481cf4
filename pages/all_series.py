from core.ui.live import follow
from core.ui.page import open_page
from core.ui.screens.all_series import draw

view = open_page("all_series")
draw(view)
follow(view)
