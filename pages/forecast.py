from core.ui.page import open_page
from core.ui.screens.forecast import draw

draw(open_page("forecast"))
