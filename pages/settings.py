from core.ui.administration_settings import draw
from core.ui.page import open_page

draw(open_page("settings"))
