from core.ui.administration_acquisition_costs import draw
from core.ui.page import open_page

draw(open_page("acquisition_costs"))
