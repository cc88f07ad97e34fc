"""Hands that stay on the keyboard: nothing here points, and nothing puts the focus anywhere."""

from playwright.sync_api import Locator

FURTHEST = 150  # presses; the longest page of these tests has fewer
HAS_FOCUS = "it => it === document.activeElement"
# WCAG 2.4.7 and 2.4.11: a ring, and something of what is in it.
IS_SEEN = """it => {
  const { left, top, width, height } = it.getClientRects()[0];
  const shows = ([x, y]) => {
    const there = document.elementFromPoint(left + width * x, top + height * y);
    return there && (it.contains(there) || there.contains(it));
  };
  const within = [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9]];
  return it.matches(":focus-visible") && within.some(shows);
}"""


def tab_to(target: Locator, back: bool = False) -> None:
    target.wait_for()
    for _ in range(FURTHEST):
        target.page.keyboard.press("Shift+Tab" if back else "Tab")
        if target.evaluate(HAS_FOCUS):
            break
    else:
        raise AssertionError(f"no way to {target} by Tab")
    assert target.evaluate(IS_SEEN), f"{target} has the focus, and it is not seen"


def press(target: Locator, key: str = "Enter", back: bool = False) -> None:
    """Come to it by Tab, and press."""
    tab_to(target, back)
    target.page.keyboard.press(key)
