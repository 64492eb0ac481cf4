from core.ui.page import open_page
from core.ui.screens.plan import draw

draw(open_page("plan"))
