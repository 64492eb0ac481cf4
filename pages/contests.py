from core.ui.page import open_page
from core.ui.screens.leaderboard_contests import draw

draw(open_page("contests"))
