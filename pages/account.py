from core.ui.page import open_page

view = open_page("account")
