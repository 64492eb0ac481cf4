from core.ui.live import follow
from core.ui.page import open_page
from core.ui.screens.funnel import draw

view = open_page("funnel")
draw(view)
follow(view)
