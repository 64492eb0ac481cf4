from core.ui.administration_audit import draw
from core.ui.page import open_page

draw(open_page("audit"))
