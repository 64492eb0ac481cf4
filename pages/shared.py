from core.ui.shared import draw_shared

draw_shared()
