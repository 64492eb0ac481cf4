from core.ui.page import open_page
from core.ui.screens.rep import draw

draw(open_page("rep", heading=False))
