from core.ui.live import follow
from core.ui.page import open_page
from core.ui.screens.forecast import draw

view = open_page("forecast")
draw(view)
follow(view)
