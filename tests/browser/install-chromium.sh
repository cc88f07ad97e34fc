#!/bin/sh
# The browser tests drive Debian's Chromium. Install it where it is missing and that is possible.
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium >/dev/null && exit 0
fi
echo "The browser tests need Chromium: install the package 'chromium' (Debian: sudo apt-get install chromium)." >&2
exit 1
