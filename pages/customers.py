from core.ui.customer_list import draw_customers
from core.ui.page import open_page

view = open_page("customers")
draw_customers(view)
