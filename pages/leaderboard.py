from core.ui.page import open_page
from core.ui.screens.leaderboard import draw

draw(open_page("leaderboard"))
