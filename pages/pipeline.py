from core.ui.page import open_page
from core.ui.screens.pipeline import draw

draw(open_page("pipeline"))
