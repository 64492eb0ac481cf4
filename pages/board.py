from core.ui.page import open_page
from core.ui.screens.leaderboard_tv import draw

draw(open_page("board", heading=False))
