from core.ui.administration_quotas import draw
from core.ui.page import open_page

draw(open_page("quotas"))
