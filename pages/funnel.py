from core.ui.page import open_page
from core.ui.screens.funnel import draw

draw(open_page("funnel"))
