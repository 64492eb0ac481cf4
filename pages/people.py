from core.ui.administration_people import draw
from core.ui.page import open_page

draw(open_page("people"))
