from core.ui.administration_currencies import draw
from core.ui.page import open_page

draw(open_page("currencies"))
