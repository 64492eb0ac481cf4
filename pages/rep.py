from core.ui.live import follow
from core.ui.page import open_page
from core.ui.screens.rep import draw

view = open_page("rep", heading=False)
draw(view)
follow(view)
