from core.ui.administration_process import draw
from core.ui.page import open_page

draw(open_page("process"))
