from core.ui.page import open_page
from core.ui.screens.overview import draw

draw(open_page("overview"))
