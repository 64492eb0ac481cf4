from core.ui.live import follow
from core.ui.page import open_page
from core.ui.screens.leaderboard import draw

view = open_page("leaderboard")
draw(view)
follow(view)
