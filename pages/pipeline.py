from core.ui.live import follow
from core.ui.page import open_page
from core.ui.screens.pipeline import draw

view = open_page("pipeline")
draw(view)
follow(view)
