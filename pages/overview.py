from core.ui.live import follow
from core.ui.page import open_page
from core.ui.screens.overview import draw

view = open_page("overview")
draw(view)
follow(view)
